"""Steps of store faults: what keeps the state fails under a trading platform, and returns."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from pytest_bdd import scenarios
from pytest_bdd.parsers import parse
from trading.risk.v1.risk_pb2 import Limits
from trading.types.v1.order_pb2 import (
    ORDER_STATUS_FILLED,
    ORDER_STATUS_NEW,
    ORDER_STATUS_REJECTED,
)

from features.bdd import given, then, when
from fixtures import adversity, crossing, dealing, limits, reconciling, shaking
from fixtures.adversity import Refused
from fixtures.judging import judged
from fixtures.mothers import ACCOUNT
from fixtures.outcome import Outcome, Verdict
from fixtures.places import Place
from fixtures.stage import Stage
from fixtures.stores import StoreSource
from fixtures.stores.berths import Berths
from fixtures.stores.breaking import (
    FAULTS,
    Rival,
    impatiently,
    killed,
    linked,
    small_containers,
    why_no_slow_disk,
)
from fixtures.stores.cutting import LinkOf
from fixtures.stores.kinds import StoreKind
from fixtures.stores.servers import Servers
from fixtures.trial import Plan, judge

FOLLOWED, OTHER, STEADY = adversity.FOLLOWED, adversity.OTHER, adversity.STEADY
ORDERS_MAX = 200  # The pages of every table are full long before.
Lending = Callable[[StoreKind], Berths]
SEED = 1
ENTRIES_MAX = 1_000  # Far more than she gets to.
ENDED = {ORDER_STATUS_FILLED, ORDER_STATUS_REJECTED}

scenarios("store_faults")


@pytest.fixture
def links() -> dict[str, LinkOf]:
    """Hold the links of services to their databases, where a scenario may cut them."""
    return {}


@pytest.fixture
def stores(
    request: pytest.FixtureRequest,
    place: Place,
    berths: Lending,
    links: dict[str, LinkOf],
    leave_out: Callable[[str], None],
) -> StoreSource:
    """Return what keeps the state: over links that can be cut, or without patience for locks."""
    if request.node.get_closest_marker("own_servers"):
        return small_containers
    if request.node.get_closest_marker("traced") and (reason := why_no_slow_disk()):
        leave_out(reason)
    on = berths(place.kind)
    is_cuttable = request.node.get_closest_marker("cuttable") is not None
    return lambda _world, _folder: linked(on, links) if is_cuttable else on.lend(impatiently)


@pytest.fixture
def rival(runner: asyncio.Runner, servers: Servers) -> Iterator[Rival]:
    """Return somebody else on the same server, who lets go of everything in the end."""
    rival = Rival(servers.mysql)
    runner.run(rival.__aenter__())
    yield rival
    runner.run(rival.__aexit__())


@pytest.fixture
def shocks() -> dict[int, str]:
    """Hold what fails in a trial, by how many parts of a hundred are traded then."""
    return {}


@pytest.fixture
def servers(stage: Stage) -> Servers:
    """Return the programs that keep the state."""
    return adversity.servers_of(stage)


@given(parse('the price of "{symbol}" is {price}'))
async def close_at(stage: Stage, symbol: str, price: str) -> None:
    await stage.close_bar(symbol, price)


@given(parse('a strategy that follows crossings of "{symbol}"'), target_fixture="strategy_id")
async def run(stage: Stage, symbol: str) -> str:
    strategy_id = await crossing.running(stage, symbol, 100)
    stage.next_minute(OTHER, len(crossing.FALLING))  # In which nothing was told of the other.
    return strategy_id


@given(parse('an order of Ana to buy {quantity:d} "{symbol}" works at the venue'))
async def works(stage: Stage, quantity: int, symbol: str) -> None:
    order = await adversity.submit(stage, await adversity.next_order(stage, quantity))
    assert (order.status, order.spec.instrument) == (ORDER_STATUS_NEW, symbol)


@given("it has signalled, and the signal is handled")
async def has_signalled(stage: Stage) -> None:
    await stage.close_bar(FOLLOWED, crossing.RISE)
    assert len(await crossing.decided(stage)) == 1


@given("risk lets Ana order as often as she likes")
async def lift_limits(stage: Stage) -> None:
    changes = Limits(entries_per_instrument_max=ENTRIES_MAX)
    changes.MergeFrom(limits.LOAD)
    await limits.change_limits(stage.risk, ACCOUNT, changes, request_id=stage.request_id())


@given(parse('at {percent:d} % of a trial "{fault}"'))
def fault_at(shocks: dict[int, str], percent: int, fault: str) -> None:
    shocks[percent] = fault


@when(parse("{minutes:d} minutes of a session are traded"), target_fixture="outcome")
async def trade_session(
    place: Place, berths: Lending, stores: StoreSource, shocks: dict[int, str], minutes: int
) -> Outcome:
    plan = Plan(shaking.session(minutes), place, SEED, stores=stores)
    history = await shaking.conduct_shaken(plan, berths(place.kind).servers, shocks)
    return judge(history, plan.experiment)


@when(parse('the price crosses and Ana orders {quantity:d} "SQ01.XSIM" while MySQL {fails}'))
async def cross_without_mysql(stage: Stage, servers: Servers, quantity: int, fails: str) -> None:
    fault = FAULTS[f"MySQL {fails}"](servers)
    is_felt = adversity.in_answers if "slow" in fails else adversity.in_databases
    await adversity.trade_while(stage, fault, is_felt=is_felt, quantity=quantity, is_late=True)


@when(parse('the price crosses and Ana orders {quantity:d} "SQ01.XSIM" while Redis {fails}'))
async def cross_without_redis(stage: Stage, servers: Servers, quantity: int, fails: str) -> None:
    fault = FAULTS[f"Redis {fails}"](servers)
    is_felt = adversity.in_streams(stage)
    await adversity.trade_while(stage, fault, is_felt=is_felt, quantity=quantity, is_late=False)


@when(parse("the price crosses, and MySQL is killed after the next write of {service}"))
async def kill_after_write(stage: Stage, servers: Servers, service: str) -> None:
    fault = killed(servers.mysql)
    await adversity.trade_until_written(stage, service, fault, quantity=10)


@when(parse("the price crosses, and the next commit of {service} happens without an answer"))
async def lose_answer(stage: Stage, links: dict[str, LinkOf], service: str) -> None:
    link = links[service]
    link.lose_commit_answer()
    await adversity.trade_until_met(stage, link, adversity.FALL)


@when(parse("the price crosses again, and the next commit of {service} is cut off"))
async def lose_commit(stage: Stage, links: dict[str, LinkOf], service: str) -> None:
    link = links[service]
    link.lose_commit()
    await adversity.trade_until_met(stage, link, crossing.RISE)


@when(parse("her order trades, and {service} meets a rival who locks {second} before {first}"))
async def meet_rival(stage: Stage, rival: Rival, service: str, second: str, first: str) -> None:
    before = await rival.deadlocks()
    await adversity.meet_rival(stage, rival, service, (first, second))
    assert await rival.deadlocks() > before


@when(parse("her order trades while a rival holds {table} of {service} for too long"))
async def wait_in_vain(stage: Stage, rival: Rival, table: str, service: str) -> None:
    await adversity.keep_waiting(stage, rival, service, table)


@when(parse('Ana orders 10 "SQ01.XSIM" while MySQL {fails}'), target_fixture="refused")
async def order_once(stage: Stage, servers: Servers, fails: str) -> Refused:
    return await adversity.refused_while(stage, FAULTS[f"MySQL {fails}"](servers), orders_max=1)


@when(parse("Ana orders again and again while MySQL {fails}"), target_fixture="refused")
async def order_often(stage: Stage, servers: Servers, fails: str) -> Refused:
    fault = FAULTS[f"MySQL {fails}"](servers)
    return await adversity.refused_while(stage, fault, orders_max=ORDERS_MAX)


@when("Redis has lost its data, and everything is published and read again")
async def lose_data(stage: Stage, servers: Servers) -> None:
    async with FAULTS["Redis is killed and its data lost"](servers):
        pass
    await reconciling.read_again(stage)
    await stage.system.settle()


@then(parse("she has {count:d} orders, and the venue has them"))
async def venue_has(stage: Stage, count: int) -> None:
    ours, theirs = await dealing.orders_of(stage), await dealing.venue_orders(stage)
    assert (len(ours), len(theirs)) == (count, count)


@when("both trade once more")
async def trade(stage: Stage) -> None:
    await stage.trade_at(FOLLOWED, adversity.FALL)
    await stage.trade_at(OTHER, STEADY)


@then(parse("she is refused, for {reason}"))
def is_refused(refused: Refused, reason: str) -> None:
    assert refused.error.reason == reason
    assert "nothing was committed" in refused.error.message


@then("nothing of that order is anywhere")
async def is_nowhere(stage: Stage, refused: Refused) -> None:
    name = refused.order.client_order_id
    assert name not in [one.spec.client_order_id for one in await dealing.orders_of(stage)]
    assert name not in [one.order.client_order_id for one in await dealing.venue_orders(stage)]
    holds = await stage.system.rows("risk", "risk_holds")
    assert name not in [row["client_order_id"] for row in holds]


@then("once MySQL keeps things again, the same order is taken")
async def is_taken(stage: Stage, refused: Refused) -> None:
    order = await adversity.submit(stage, refused.order)
    assert order.status == ORDER_STATUS_NEW, order.reject
    await stage.trade_at(OTHER, STEADY)


@then("the trial passes every check")
def passes(outcome: Outcome) -> None:
    assert [one for one in outcome.checks if one.verdict is Verdict.FAILED] == []
    assert outcome.verdict is Verdict.PASSED, outcome.reason


@then(parse("{count:d} trades or more were booked in it"))
def booked(outcome: Outcome, count: int) -> None:
    assert outcome.figures.fills >= count


@then("each signal is decided once")
async def is_decided_once(stage: Stage, servers: Servers) -> None:
    told = await reconciling.signals_by_all(stage, servers)
    signals = told["the rows of strategy"]
    assert signals
    assert told == dict.fromkeys(told, signals)


@then("the stream has every signal")
async def is_on_stream(stage: Stage) -> None:
    signals = await reconciling.kept_for_stream(stage)
    assert signals
    assert await reconciling.on_stream(stage) == signals


@then("each of her orders that was not refused is at the venue once")
async def is_there_once(stage: Stage) -> None:
    orders = await dealing.orders_of(stage)
    assert {order.status for order in orders} <= ENDED
    ours = sorted(o.spec.client_order_id for o in orders if o.status == ORDER_STATUS_FILLED)
    theirs = sorted(one.order.client_order_id for one in await dealing.venue_orders(stage))
    assert ours == theirs
    assert len(ours) >= 2  # What worked before, and the strategy's first.


@then("rows, streams, services and venue tell of the same positions")
async def hold_the_same(stage: Stage, servers: Servers, strategy_id: str) -> None:
    told = await reconciling.held_by_all(stage, servers)
    held = told["the venue"]
    assert held
    assert told == dict.fromkeys(told, held)
    believed, _ = await crossing.belief(stage, strategy_id)
    assert believed == held.get(FOLLOWED, 0)


@then("every service tells the same once it is started again")
async def tells_the_same(stage: Stage) -> None:
    before = await reconciling.views(stage)
    await adversity.restart_all(stage)
    assert await reconciling.views(stage) == before


@then("every check of a run at rest holds")
async def checks_hold(stage: Stage) -> None:
    results = await judged(stage)
    assert [one for one in results if one.verdict is Verdict.FAILED] == []
    assert sum(one.verdict is Verdict.PASSED for one in results) > len(results) / 2
