"""Everything that works on orders behind the calls, and when it may begin."""

import asyncio

from runtime.environment import Environment
from runtime.stores import Relay, StreamConsumer, Subscription
from services.orders.cancels import Cancels
from services.orders.desk import Desk
from services.orders.doubt import Doubts
from services.orders.feedback import Feedback
from services.orders.halts import HaltReader
from services.orders.instruments import Instruments
from services.orders.lagging import Lagging
from services.orders.mass import MassCancels
from services.orders.orphans import Orphans
from services.orders.peers import Peers
from services.orders.protection import Hands, Protection
from services.orders.reconciling import Reconciler
from services.orders.recorder import Recorder
from services.orders.recovery import Recovery, Senders
from services.orders.replaces import Replaces, replace_again
from services.orders.reports import ReportReader
from services.orders.signals import SignalPeers, SignalWorker
from services.orders.submission import Submissions
from services.orders.sweeping import Sweep
from services.orders.unit import Due
from services.orders.waiting import Waiting

READY_WAIT_S = 1.0


class Workers:
    """The workers of one instance, put together in one place."""

    def __init__(self, environment: Environment, peers: Peers) -> None:
        recorder = Recorder(environment)
        self.desk = Desk(environment, recorder, peers.risk, peers.execution, Waiting())
        self.doubts = Doubts(self.desk)
        self.submissions = Submissions(self.desk, self.doubts.watch)
        self.doubts.send_with(self.submissions, replace_again)
        self.cancels = Cancels(self.desk, self.doubts)
        self.replaces = Replaces(self.desk, self.doubts)
        self.mass = MassCancels(self.desk, self.cancels)
        self.reconciler = Reconciler(self.desk)
        self._halts = HaltReader(self.desk, self.mass)
        self.is_ready = False  # Whether the past is known, so that the present may go on.
        self._reader = ReportReader(environment, recorder, peers.execution)
        self._recovery = Recovery(self.desk, self._reader)
        self._strategy = peers.strategy
        self._feedbacks = [
            Feedback(environment, recorder, s, Lagging(s.name, recorder, peers.risk))
            for s in peers.subscribers()
        ]
        instruments = Instruments(peers.marketdata)
        told_risk = self._feedbacks[0].told
        hands = Hands(self.submissions, self.replaces, self.cancels, instruments, told_risk)
        self.protection = Protection(self.desk, hands)
        self.signals = SignalWorker(
            environment,
            recorder,
            SignalPeers(peers.risk, instruments, self.submissions, self.protection),
        )

    async def start(self) -> None:
        """Take over, begin to read and to tell, and wait a little for readiness."""
        environment, recorder = self.desk.environment, self.desk.recorder
        await self._recovery.take_over()
        recorder.on_event(self.desk.waiting.tell)
        recorder.on_due(Due.CANCEL, self.cancels.send)
        recorder.on_due(Due.REPLACE, self.replaces.send)
        recorder.on_due(Due.LOOK, self.reconciler.look)
        recorder.on_due(Due.TAKE_IN, Orphans(self.desk, self.submissions).take_in)
        tasks = environment.tasks
        relay = Relay(environment.database, recorder.outbox, environment.streams, environment.clock)
        environment.durability.publishes_through(relay)
        tasks.spawn(relay.run(), name="relay")
        for feedback in self._feedbacks:
            recorder.on_event(feedback.wake)
            tasks.spawn(feedback.run(), name=f"feedback {feedback.name}")
        tasks.spawn(self._reader.run(), name="reports")
        ready = tasks.spawn(self._become_ready(), name="recovery")
        await asyncio.wait([ready], timeout=READY_WAIT_S)

    async def _become_ready(self) -> None:
        environment = self.desk.environment
        await self._recovery.catch_up()
        await self._recovery.reconcile(self.reconciler)
        await self._recovery.go_on(
            Senders(self.submissions, self.doubts, self.cancels, self.replaces)
        )
        environment.tasks.spawn(self._halts.run(), name="halts")
        self.desk.recorder.on_event(self.protection.see)
        await self.protection.begin()
        await self.signals.begin()
        consumer = StreamConsumer(
            environment.streams,
            Subscription("signals"),
            self.signals.handle,
            self.signals.bury,
        )
        environment.tasks.spawn(consumer.run(), name="signals")
        lost = self.signals.find_lost(Sweep(environment, self._strategy))
        environment.tasks.spawn(lost, name="lost signals")
        self.is_ready = True
