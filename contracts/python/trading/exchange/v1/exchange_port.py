"""Ports of trading/exchange/v1/exchange.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.exchange.v1 import exchange_pb2 as pb


class ExchangeService(Port):
    """A market operator: takes orders, matches them by price and then time, reports what happened.

    Everything that happens to an order is a report. Reports of one account are numbered from 1
    without a gap (`venue_sequence`); reports of all accounts together are the venue's feed, whose
    place (`sequence`) is gap-free too. Both can be read again from any place of the run.
    A MARKET order takes prices within 10 % of the best opposite one and never rests; a LIMIT rests;
    a STOP or STOP_LIMIT wakes when the last trade reaches its stop price and then acts as MARKET or
    LIMIT with a new place in time. The resting order's price is the price of the trade.
    In an instrument of mode BAR_PATH every order, immediate ones too, waits and is matched in
    arrival order at the next price point; in one of mode LIVE_PATH it meets the standing book.
    Outside the session, from the point that ends it to the next one, orders that may wait do so and
    are matched in arrival order at the next session's first point; immediate ones of LIVE_PATH end.
    A DAY order expires when the session closes, a GTD order at its time, before new orders of that
    instant. While an instrument is halted its orders are SUSPENDED and new ones rejected as HALTED.
    An order that the venue will not take is answered with status REJECTED and a report, not with
    an error.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ExchangeService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "place_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="order.account+order.client_order_id",
            max_attempts=1,
            callers=frozenset({"execution"}),
            target_rps=400.0,
            p99_ms=10.0,
        ),
        "cancel_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            max_attempts=1,
            callers=frozenset({"execution"}),
            target_rps=200.0,
            p99_ms=10.0,
            urgent=True,
        ),
        "replace_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            max_attempts=1,
            callers=frozenset({"execution"}),
            target_rps=200.0,
            p99_ms=10.0,
        ),
        "cancel_orders": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            roles=frozenset({"OPERATOR"}),
            callers=frozenset({"execution"}),
            target_rps=1.0,
            p99_ms=100.0,
            urgent=True,
        ),
        "get_order": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"execution"}),
            target_rps=50.0,
            p99_ms=10.0,
        ),
        "list_orders": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"execution", "risk-monitor"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
        "list_executions": Policy(
            deadline_s=2.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"execution", "risk-monitor"}),
            target_rps=5.0,
            p99_ms=50.0,
        ),
        "watch_executions": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"execution"}),
            target_rps=800.0,
            p99_ms=10.0,
        ),
        "get_book": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=10.0,
        ),
        "watch_book": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=10.0,
        ),
        "watch_trades": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"*"}),
            target_rps=50.0,
            p99_ms=10.0,
        ),
        "get_balance": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"execution", "harness", "portfolio", "risk-monitor"}),
            target_rps=5.0,
            p99_ms=20.0,
        ),
        "create_sub_account": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"execution", "harness", "risk-monitor"}),
            target_rps=5.0,
            p99_ms=20.0,
        ),
        "get_capabilities": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"*"}),
            target_rps=5.0,
            p99_ms=20.0,
        ),
    }

    async def place_order(
        self, request: pb.PlaceOrderRequest, call: Call = Call()
    ) -> pb.PlaceOrderResponse:
        """Takes an order; its NEW or REJECTED report is in the answer and in the feed.

        Repeating a client_order_id of the account with an equal order returns the first answer and
        makes no second order, for the whole run, where the venue deduplicates (see GetCapabilities).
        Errors: ALREADY_EXISTS (the client_order_id is another order), NOT_FOUND with reason
        ACCOUNT_UNKNOWN. After UNAVAILABLE or DEADLINE_EXCEEDED the order may exist: ask GetOrder.
        """
        raise unimplemented(self)

    async def cancel_order(
        self, request: pb.CancelOrderRequest, call: Call = Call()
    ) -> pb.CancelOrderResponse:
        """Cancels what is left of an order.

        An order that has already ended keeps its status; a CANCEL_REJECTED report says so.
        Repeating a request_id returns the first answer.
        Errors: NOT_FOUND with reason ORDER_UNKNOWN, ALREADY_EXISTS (request_id of another cancel).
        """
        raise unimplemented(self)

    async def replace_order(
        self, request: pb.ReplaceOrderRequest, call: Call = Call()
    ) -> pb.ReplaceOrderResponse:
        """Gives a live order another quantity or price.

        A smaller quantity keeps the order's place in time; another price or a larger quantity loses
        it. A quantity not above what has traded ends the order as FILLED with what it has. Fills
        before the replacement have the old values. It is told by a REPLACED report; a replacement
        that cannot be (the order has ended, a price off the tick, no cash for the increase, a price
        that the order's type has not, a halted instrument) changes nothing and is told by a
        CANCEL_REJECTED report with the reason. Repeating a request_id returns the first answer.
        Errors: NOT_FOUND with reason ORDER_UNKNOWN, ALREADY_EXISTS (request_id of another replace).
        """
        raise unimplemented(self)

    async def cancel_orders(
        self, request: pb.CancelOrdersRequest, call: Call = Call()
    ) -> pb.CancelOrdersResponse:
        """Cancels all live orders of an account, in one instrument or in all.

        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN.
        """
        raise unimplemented(self)

    async def get_order(
        self, request: pb.GetOrderRequest, call: Call = Call()
    ) -> pb.GetOrderResponse:
        """Answers one order as it stands, with all its reports so far.

        Errors: NOT_FOUND with reason ORDER_UNKNOWN (the venue does not have it now; a request that
        is still on its way may yet bring it) or ACCOUNT_UNKNOWN.
        """
        raise unimplemented(self)

    async def list_orders(
        self, request: pb.ListOrdersRequest, call: Call = Call()
    ) -> pb.ListOrdersResponse:
        """Lists an account's orders in arrival order.

        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN, INVALID_ARGUMENT (page_token of another list).
        """
        raise unimplemented(self)

    async def list_executions(
        self, request: pb.ListExecutionsRequest, call: Call = Call()
    ) -> pb.ListExecutionsResponse:
        """Lists an account's reports after a venue_sequence, in sequence without a gap.

        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN, INVALID_ARGUMENT (page_token of another list).
        """
        raise unimplemented(self)

    def watch_executions(
        self, request: pb.WatchExecutionsRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchExecutionsResponse, None]:
        """Streams reports after a sequence, in sequence and without a gap, without end.

        With an account: its reports, and `sequence` is its venue_sequence. Without one: the venue's
        feed, the reports of all accounts, and `sequence` is the place in the feed; this is what a
        client with many accounts subscribes once. The first message is a heartbeat with the current
        sequence; more follow every second while nothing else is sent.
        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN, OUT_OF_RANGE (after_sequence has not happened).
        """
        raise unimplemented(self)

    async def get_book(self, request: pb.GetBookRequest, call: Call = Call()) -> pb.GetBookResponse:
        """Answers the resting quantities by price, best first.

        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN.
        """
        raise unimplemented(self)

    def watch_book(
        self, request: pb.WatchBookRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchBookResponse, None]:
        """Streams the changes of a book, to be applied on top of GetBook, without end.

        Changes between two messages are merged: each message brings a book of an earlier sequence
        to its own. A reader without a book, or whose book is not the stream's, is given the whole
        book in the first message. While nothing changes a heartbeat follows every second.
        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN.
        """
        raise unimplemented(self)

    def watch_trades(
        self, request: pb.WatchTradesRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchTradesResponse, None]:
        """Streams the trades of an instrument after a sequence, without a gap, without end.

        What others traded on the reference path (the volume of price points) is among them. The
        first message is a heartbeat with the current sequence, more follow every second while
        nothing trades. A trade that is taken back stays in the stream: it was printed.
        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN, OUT_OF_RANGE (after_sequence has not
        happened).
        """
        raise unimplemented(self)

    async def get_balance(
        self, request: pb.GetBalanceRequest, call: Call = Call()
    ) -> pb.GetBalanceResponse:
        """Answers an account's cash by currency and its positions.

        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN.
        """
        raise unimplemented(self)

    async def create_sub_account(
        self, request: pb.CreateSubAccountRequest, call: Call = Call()
    ) -> pb.CreateSubAccountResponse:
        """Opens an account and credits its first cash.

        Repeating a request_id returns the first answer.
        Errors: ALREADY_EXISTS (the account, or the request_id of another request).
        """
        raise unimplemented(self)

    async def get_capabilities(
        self, request: pb.GetCapabilitiesRequest, call: Call = Call()
    ) -> pb.GetCapabilitiesResponse:
        """Answers what the venue can do; it behaves accordingly."""
        raise unimplemented(self)


class ExchangeControlService(Port):
    """The world's levers on the venue: what it lists, where prices go, how it misbehaves.

    For the harness only: any other deployment answers UNIMPLEMENTED. Repeating a request_id with
    an equal request returns the first answer; with another request it is ALREADY_EXISTS.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["ExchangeControlService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "admit_instrument": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "move_reference": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "set_behaviour": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "clear_behaviours": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "list_behaviours": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "set_latency": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "set_fees": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "halt_instrument": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "resume_instrument": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
        "bust_trade": Policy(
            deadline_s=1.0,
            idempotency=Idempotency.IDEMPOTENT_BY_KEY,
            key="request_id",
            callers=frozenset({"harness"}),
        ),
    }

    async def admit_instrument(
        self, request: pb.AdmitInstrumentRequest, call: Call = Call()
    ) -> pb.AdmitInstrumentResponse:
        """Lists an instrument, or changes its mode, or its terms while it has no live orders.

        Errors: FAILED_PRECONDITION with reason HAS_ORDERS.
        """
        raise unimplemented(self)

    async def move_reference(
        self, request: pb.MoveReferenceRequest, call: Call = Call()
    ) -> pb.MoveReferenceResponse:
        """Lets an instrument trade at price points, in order; answers when all of them are done.

        In mode BAR_PATH the house trades at the point's price, on both sides, up to its liquidity,
        while the point lasts: first with resting orders that the price reaches (at their own price),
        then with stops that it wakes, then with waiting orders in arrival order; client orders of
        the same price come before the house. A stop trades at the point that woke it, never between
        two points. In mode LIVE_PATH the house's ten levels a side, one tick apart, move around the
        price and stand there until the next point. A point counts as a trade for stops.
        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN, INVALID_ARGUMENT with reason POINT_OFF_GRID
        (nothing happened).
        """
        raise unimplemented(self)

    async def set_behaviour(
        self, request: pb.SetBehaviourRequest, call: Call = Call()
    ) -> pb.SetBehaviourResponse:
        """Makes the venue misbehave from now on, or within a window.

        Errors: INVALID_ARGUMENT with reason BEHAVIOUR_INCOMPLETE (what the kind needs is missing).
        """
        raise unimplemented(self)

    async def clear_behaviours(
        self, request: pb.ClearBehavioursRequest, call: Call = Call()
    ) -> pb.ClearBehavioursResponse:
        """Ends one misbehaviour, or all. A venue that is restarting then is back at once."""
        raise unimplemented(self)

    async def list_behaviours(
        self, request: pb.ListBehavioursRequest, call: Call = Call()
    ) -> pb.ListBehavioursResponse:
        """Lists the misbehaviours in force, oldest first, with how often each has fired."""
        raise unimplemented(self)

    async def set_latency(
        self, request: pb.SetLatencyRequest, call: Call = Call()
    ) -> pb.SetLatencyResponse:
        """Sets how long each kind of message takes, drawn from the seed."""
        raise unimplemented(self)

    async def set_fees(self, request: pb.SetFeesRequest, call: Call = Call()) -> pb.SetFeesResponse:
        """Sets the fee rates of one account, or of all; with tiers they fall as an account trades more.

        Errors: NOT_FOUND with reason ACCOUNT_UNKNOWN.
        """
        raise unimplemented(self)

    async def halt_instrument(
        self, request: pb.HaltInstrumentRequest, call: Call = Call()
    ) -> pb.HaltInstrumentResponse:
        """Stops trading in an instrument: live orders are SUSPENDED, new orders rejected as HALTED.

        Suspended orders can be canceled, not replaced; they keep their places. Halting again changes
        nothing.
        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN.
        """
        raise unimplemented(self)

    async def resume_instrument(
        self, request: pb.ResumeInstrumentRequest, call: Call = Call()
    ) -> pb.ResumeInstrumentResponse:
        """Lets a halted instrument trade again; an ORDER_STATUS report says so of every live order.

        Prices that the reference passed during the halt traded nothing.
        Errors: NOT_FOUND with reason INSTRUMENT_UNKNOWN.
        """
        raise unimplemented(self)

    async def bust_trade(
        self, request: pb.BustTradeRequest, call: Call = Call()
    ) -> pb.BustTradeResponse:
        """Takes a trade back: both sides get a TRADE_CANCEL report that names the trade's.

        Cash, fees and positions are as if it had not been. A live order may trade the quantity
        again, in its old place; one that has ended stays so, and what was FILLED is CANCELED.
        Errors: NOT_FOUND with reason TRADE_UNKNOWN (no such trade, or it was taken back before).
        """
        raise unimplemented(self)
