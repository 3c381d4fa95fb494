"""The answers of the service as messages of its contract."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from google.type.decimal_pb2 import Decimal as DecimalMessage
from grpc import StatusCode
from trading.marketdata.v1 import marketdata_pb2 as pb
from trading.types.v1 import market_pb2

from runtime.errors import BadRequest, ErrorInfo, ServiceError, refusal
from runtime.money import to_text
from runtime.paging import ForeignToken
from runtime.times import to_duration, to_timestamp
from services.marketdata.batch import Publication
from services.marketdata.datasets import Dataset
from services.marketdata.library import ReplayRow
from services.marketdata.publication import Verdict
from services.marketdata.quotes import Standing
from services.marketdata.refusals import MarketDataRefused, Refusal, RejectedRow

SERVICE = "marketdata"
NOT_FOUND = (Refusal.UNKNOWN_INSTRUMENT, Refusal.UNKNOWN_DATASET, Refusal.UNKNOWN_REPLAY)
FAILED_PRECONDITION = (
    Refusal.REPLAY_RUNNING,
    Refusal.SPEED_NEEDS_VIRTUAL_TIME,
    Refusal.INSTRUMENT_DIFFERS,
    Refusal.LINES_REJECTED,
    Refusal.TOO_MANY_REJECTED,
    Refusal.TICK_GAP,
    Refusal.TICK_EXPONENT_CHANGED,
)


def status_of(refused: MarketDataRefused) -> ServiceError:
    """Return the error that a refusal travels as; rejected lines stand in its details."""
    code = StatusCode.INVALID_ARGUMENT
    if refused.reason in NOT_FOUND:
        code = StatusCode.NOT_FOUND
    elif refused.reason in FAILED_PRECONDITION:
        code = StatusCode.FAILED_PRECONDITION
    elif refused.reason is Refusal.TICKS_DIFFER:
        code = StatusCode.ALREADY_EXISTS
    reason = refused.reason.value
    error = refusal(code, reason, refused.message, service=SERVICE, **refused.facts)
    if not refused.rejected:
        return error
    lines = [
        BadRequest.FieldViolation(field=f"rows.line[{row.line}]", description=str(row))
        for row in refused.rejected
    ]
    details = (error.detail(ErrorInfo), BadRequest(field_violations=lines))
    return ServiceError(code, refused.message, [d for d in details if d is not None])


@contextmanager
def refusals_as_status() -> Iterator[None]:
    """Raise each refusal of the block as the error it travels as."""
    try:
        yield
    except MarketDataRefused as refused:
        raise status_of(refused) from None
    except ForeignToken as foreign:
        raise status_of(MarketDataRefused(Refusal.PAGE_TOKEN_FOREIGN, str(foreign))) from None


def published(publication: Publication) -> pb.PublishCandlesResponse:
    """Return the outcome of each candle of a publication."""
    results = [_result(index, verdict) for index, verdict in enumerate(publication.verdicts)]
    return pb.PublishCandlesResponse(results=results, last_sequence=publication.last_sequence)


def _result(index: int, verdict: Verdict) -> pb.CandleResult:
    result = pb.CandleResult(index=index, outcome=pb.CandleOutcome.ValueType(verdict.outcome))
    if verdict.rejection is not None:
        reason = f"CANDLE_REJECT_REASON_{verdict.rejection.fault}"
        result.reason = pb.CandleRejectReason.Value(reason)
        result.text = verdict.rejection.text
    return result


def quoted(instrument: str, standing: Standing) -> pb.GetQuoteResponse:
    """Return a quote; what is not known is absent."""
    response = pb.GetQuoteResponse(
        quote=market_pb2.Quote(instrument=instrument),
        is_stale=standing.is_stale,
        is_in_session=standing.is_in_session,
    )
    for name in ("last", "bid", "bid_size", "ask", "ask_size"):
        value: Decimal | None = getattr(standing, name)
        if value is not None:
            getattr(response.quote, name).CopyFrom(DecimalMessage(value=to_text(value)))
    if standing.time_ns is not None and standing.age_ns is not None:
        response.quote.time.CopyFrom(to_timestamp(standing.time_ns))
        response.age.CopyFrom(to_duration(standing.age_ns))
    return response


def dataset_of(dataset: Dataset) -> pb.Dataset:
    """Return the contract's form of a dataset."""
    message = pb.Dataset(
        dataset=dataset.name,
        kind=market_pb2.CandleKind.ValueType(dataset.kind),
        instruments=dataset.instruments,
        timeframes=[market_pb2.Timeframe.ValueType(t) for t in dataset.timeframes],
        rows=dataset.row_count,
        adjustment=market_pb2.Adjustment.ValueType(dataset.adjustment),
        licence_note=dataset.licence_note,
        gaps=dataset.gap_count,
        caveat=dataset.caveat,
        is_synthetic=dataset.is_synthetic,
    )
    if dataset.first_open_ns is not None and dataset.last_close_ns is not None:
        message.from_time.CopyFrom(to_timestamp(dataset.first_open_ns))
        message.to_time.CopyFrom(to_timestamp(dataset.last_close_ns))
    return message


def replay_of(row: ReplayRow) -> pb.Replay:
    """Return the contract's form of a replay."""
    message = pb.Replay(
        replay_id=row.replay_id,
        dataset=pb.StartReplayRequest.FromString(row.request).dataset,
        state=pb.ReplayState.ValueType(row.state),
        published=row.published,
        total=row.total,
        failure=row.failure,
    )
    if row.position_ns is not None:
        message.position.CopyFrom(to_timestamp(row.position_ns))
    return message


def rejected_lines(rows: Sequence[RejectedRow]) -> list[pb.RejectedLine]:
    """Return the lines of an import that are no candles."""
    return [
        pb.RejectedLine(
            line=row.line,
            reason=pb.ImportRejectReason.Value(f"IMPORT_REJECT_REASON_{row.fault}"),
            text=row.text,
        )
        for row in rows
    ]
