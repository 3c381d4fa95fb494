"""Steps of the ledger: Ana deals, the venue reports, the books say what came of it."""

from collections.abc import Sequence
from decimal import Decimal

from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.portfolio.v1 import portfolio_pb2 as pb
from trading.types.v1.event_pb2 import OrderEvent
from trading.types.v1.money_pb2 import Money
from trading.types.v1.order_pb2 import SIDE_BUY

from features.bdd import given, then, when
from fixtures import dealing
from fixtures.mothers import CURRENCY
from fixtures.stage import DEPOSIT, Stage
from runtime.times import NS_PER_S

SYMBOL = "SQ00.XSIM"

scenarios("ledger")


@given(parse('the price of "{symbol}" is {price}'))
@when(parse('the price of "{symbol}" rises to {price}'))
@when(parse('the price of "{symbol}" falls to {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.system.admit([symbol])
    await stage.close_bar(symbol, price)


@given(parse('Ana bought {quantity:d} "{symbol}" at {price}'))
@when(parse('Ana buys {quantity:d} "{symbol}" at {price}'))
async def buy(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, quantity, price)


@given(parse('Ana sold {quantity:d} "{symbol}" at {price}'))
@when(parse('Ana sells {quantity:d} "{symbol}" at {price}'))
async def sell(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    await dealing.deal(stage, symbol, -quantity, price)


@given(parse('Ana ordered {quantity:d} "{symbol}"'))
async def order(stage: Stage, quantity: int, symbol: str) -> None:
    name = stage.request_id()
    await dealing.submit(stage, dealing.signed_order(symbol, quantity, client_order_id=name))


@given("elsewhere all happened but the second of these trades")
async def deal_elsewhere(stage: Stage, elsewhere: Stage) -> None:
    first, _, *others = await dealing.fills_of(stage)
    await elsewhere.close_bar(SYMBOL, "100.00")
    await deal_again(elsewhere, [first, *others])


@when("the ledger hears of that fill again")
async def deliver_again(stage: Stage) -> None:
    events, fills = await dealing.order_events(stage), await dealing.fills_of(stage)
    await dealing.report_to_ledger(stage, *fills)
    await dealing.report_to_ledger(stage, dealing.following(events, fills[0]))


@when("the venue takes back the second trade")
async def bust(stage: Stage) -> None:
    events, fills = await dealing.order_events(stage), await dealing.fills_of(stage)
    await dealing.report_to_ledger(stage, dealing.bust_of(events, fills[1]))


@when(parse("{minutes:d} minutes pass without a price"))
async def let_time_pass(stage: Stage, minutes: int) -> None:
    time = stage.system.time
    await time.skip_to(time.now_ns() + minutes * 60 * NS_PER_S)


@when("the ledger is restarted")
async def restart(stage: Stage) -> None:
    await stage.system.crash("portfolio")
    await stage.system.restart("portfolio")
    await stage.system.settle()


@when(parse("the ledger is down while the order is filled at {price}"))
async def fill_without_ledger(stage: Stage, price: str) -> None:
    await stage.system.crash("portfolio")
    await stage.move(SYMBOL, price)
    await stage.system.restart("portfolio")
    await stage.system.settle()


@then(parse("the debits of each of the {count:d} journals equal its credits"))
async def balance(stage: Stage, count: int) -> None:
    journals = await dealing.journals(stage)
    assert len(journals) == count
    assert [journal.sequence for journal in journals if total(journal.entries)] == []


@then("what the ledger accounts hold together is nothing")
async def accounts_balance(stage: Stage) -> None:
    journals = await dealing.journals(stage)
    assert total([entry for journal in journals for entry in journal.entries]) == 0


@then(parse("{count:d} fill is booked"))
async def count_fills(stage: Stage, count: int) -> None:
    kinds = [journal.kind for journal in await dealing.journals(stage)]
    assert kinds.count(pb.JOURNAL_KIND_FILL) == count


@then(parse('Ana holds {quantity:d} "{symbol}"'))
async def holds(stage: Stage, quantity: int, symbol: str) -> None:
    position = await dealing.position(stage, symbol)
    assert Decimal(position.quantity.value) == quantity


@then(parse('Ana holds {quantity:d} "{symbol}" that cost {price} each'))
async def holds_at(stage: Stage, quantity: int, symbol: str, price: str) -> None:
    position = await dealing.position(stage, symbol)
    assert Decimal(position.quantity.value) == quantity
    assert Decimal(position.average_price.value) == Decimal(price)


@then(parse("{amount} is realised"))
async def is_realised(stage: Stage, amount: str) -> None:
    assert value((await dealing.snapshot(stage)).realised) == Decimal(amount)


@then(parse('the cost booked for "{symbol}" sums to zero'))
async def has_no_cost(stage: Stage, symbol: str) -> None:
    journals = await dealing.journals(stage)
    entries = [entry for journal in journals for entry in journal.entries]
    costs = [entry for entry in entries if entry.ledger_account == f"cost:{symbol}"]
    assert len(costs) == 4
    assert total(costs) == 0


@then(parse("Ana is poorer by {amount}, her fees"))
async def paid_fees(stage: Stage, amount: str) -> None:
    money = await dealing.snapshot(stage)
    assert Decimal(DEPOSIT) - value(money.equity) == Decimal(amount)
    assert value(money.fees) == Decimal(amount)


@then(parse("Ana is poorer by {amount} than what she paid in"))
async def is_poorer(stage: Stage, amount: str) -> None:
    money = await dealing.snapshot(stage)
    assert value(money.net_transfers) - value(money.equity) == Decimal(amount)


@then("that is what is realised and unrealised, less fees")
async def equity_is_explained(stage: Stage) -> None:
    money = await dealing.snapshot(stage)
    earned = value(money.realised) + value(money.unrealised) - value(money.fees)
    assert value(money.equity) - value(money.net_transfers) == earned


@then("the books are as they are elsewhere")
async def books_agree(stage: Stage, elsewhere: Stage) -> None:
    assert await books(stage) == await books(elsewhere)


@then(parse('her {quantity:d} "{symbol}" are worth {amount}, at a {freshness:w} price'))
async def are_worth(stage: Stage, quantity: int, symbol: str, amount: str, freshness: str) -> None:
    position = await dealing.position(stage, symbol)
    assert Decimal(position.quantity.value) == quantity
    assert value(position.market_value) == Decimal(amount)
    assert position.is_stale == (freshness == "stale")


@then("ledger and venue state the same cash")
async def cash_agrees(stage: Stage) -> None:
    (cash,) = (await dealing.snapshot(stage)).cash
    (balance,) = (await dealing.venue_balance(stage)).balances
    assert value(cash) == value(balance.total)


@then("ledger and venue state the same positions")
async def positions_agree(stage: Stage) -> None:
    held = await dealing.positions(stage)
    assert held
    assert held == await dealing.venue_positions(stage)


# What steps do, where it takes more than a line.


def value(money: Money) -> Decimal:
    assert money.currency == CURRENCY
    return Decimal(money.amount.value)


def total(entries: Sequence[pb.JournalEntry]) -> Decimal:
    signs = {pb.ENTRY_SIDE_DEBIT: 1, pb.ENTRY_SIDE_CREDIT: -1}
    return sum((signs[entry.side] * value(entry.amount) for entry in entries), Decimal())


async def deal_again(stage: Stage, fills: Sequence[OrderEvent]) -> None:
    for fill in fills:
        execution = fill.execution
        sign = 1 if execution.side == SIDE_BUY else -1
        quantity = sign * int(execution.last_quantity.value)
        await dealing.deal(stage, execution.instrument, quantity, execution.last_price.value)


async def books(stage: Stage) -> tuple[pb.Position, Decimal, Decimal, Decimal]:
    """Return position, cash, profit and fees; prices are of another instant elsewhere."""
    position, money = await dealing.position(stage, SYMBOL), await dealing.snapshot(stage)
    position.ClearField("mark_time")
    return position, value(money.cash[0]), value(money.realised), value(money.fees)
