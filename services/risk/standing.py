"""Where an account stands against its limits, as a message."""

from trading.risk.v1 import risk_pb2 as pb

from services.risk import wire
from services.risk.account import Account
from services.risk.book import Book
from services.risk.desk import State
from services.risk.refusals import RiskRefused
from services.risk.rules import FIRM, ScopeKind
from services.risk.tripping import breakers_shown


def standing(state: State, name: str, now_ns: int) -> pb.GetRiskStateResponse:
    """Return the state of an account; what is not known is absent.

    Raises RiskRefused when nothing was ever seen of the account.
    """
    book, account = state.book, state.book.accounts.get(name)
    if account is None:
        raise RiskRefused(
            pb.RISK_REFUSAL_REASON_ACCOUNT_UNKNOWN,
            f"neither cash nor an order of account {name} was ever seen: transfer cash to open it",
        )
    currency = account.currency or "XXX"
    equity, free, gross = account.worth_minor
    amounts = {
        "equity": equity,
        "high_water_mark": account.high_water_minor,
        "day_pnl": _day_pnl(account),
        "gross": gross,
        "net": account.net_minor,
        "holds": account.held_minor,
        "free_cash": free,
        "open_order_value": account.opening_minor,
    }
    scopes = [FIRM, (ScopeKind.ACCOUNT, name)]
    strategies = dict.fromkeys(strategy_id for strategy_id, _ in account.trades)
    stopped = [*scopes, *((ScopeKind.STRATEGY, strategy_id) for strategy_id in strategies)]
    answer = pb.GetRiskStateResponse(
        account=name,
        drawdown_bps=account.drawdown_bps,
        open_orders=len(account.open),
        mode=pb.TradingMode.ValueType(book.modes.strictest(name, "", "")),
        modes=[mode for scope, mode in sorted(state.modes.items()) if scope in scopes],
        is_stale=_is_stale(book, account, now_ns),
        state_sequence=book.sequence,
        limits_version=book.limits_of(name)[1].version,
        consecutive_losses=max((s.losses for s in account.streaks.values()), default=0),
        breakers=breakers_shown(book.breakers, stopped),
    )
    for field, units in amounts.items():
        if units is not None:
            getattr(answer, field).CopyFrom(wire.money(units, currency))
    return answer


def _day_pnl(account: Account) -> int | None:
    equity, first = account.equity_minor, account.day_equity_minor
    return None if equity is None or first is None else equity - first


def _is_stale(book: Book, account: Account, now_ns: int) -> bool:
    if account.unmarked:
        return True
    sessions = book.calendars.known
    return any(
        book.references[name].is_stale(
            now_ns,
            sessions.get(book.instruments[name].calendar if name in book.instruments else ""),
        )
        for name in account.values
    )
