"""Ports of trading/devices/v1/devices.proto. Generated: edit that, then `make generate`."""

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from runtime.errors import unimplemented
from runtime.rpc import Call, Idempotency, Policy, Port
from trading.devices.v1 import devices_pb2 as pb


class DeviceControlService(Port):
    """Looks into a device, moves its clock, and makes its services and stores fail.

    A harness that runs services in other processes needs to know when they have come to rest, and
    must be able to do to them what it does to services in its own process.
    """

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["DeviceControlService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "start_services": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "reach_services": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "get_standing": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "set_clock": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "crash_service": Policy(
            deadline_s=30.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"harness"}),
        ),
        "start_service": Policy(
            deadline_s=60.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"harness"}),
        ),
        "stop_service": Policy(
            deadline_s=30.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"harness"}),
        ),
        "arm_crash": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"harness"}),
        ),
        "await_crash": Policy(
            deadline_s=30.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"harness"}),
        ),
        "set_wire_faults": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "set_database_faults": Policy(
            deadline_s=5.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
        "watch_database": Policy(
            deadline_s=None,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"harness"}),
        ),
    }

    async def start_services(
        self, request: pb.StartServicesRequest, call: Call = Call()
    ) -> pb.StartServicesResponse:
        """Starts the services of the device, one after another; answers at once.

        The device listens before it knows where the others do: nobody chooses ports beforehand.
        """
        raise unimplemented(self)

    async def reach_services(
        self, request: pb.ReachServicesRequest, call: Call = Call()
    ) -> pb.ReachServicesResponse:
        """Tells the device where services are from now on; calls and streams follow them there."""
        raise unimplemented(self)

    async def get_standing(
        self, request: pb.GetStandingRequest, call: Call = Call()
    ) -> pb.GetStandingResponse:
        """Answers how far every service of the device has come."""
        raise unimplemented(self)

    async def set_clock(
        self, request: pb.SetClockRequest, call: Call = Call()
    ) -> pb.SetClockResponse:
        """Sets the clock of all services of the device forward; never back.

        Who sleeps until an instant that has come wakes. The same clock again changes nothing.
        """
        raise unimplemented(self)

    async def crash_service(
        self, request: pb.CrashServiceRequest, call: Call = Call()
    ) -> pb.CrashServiceResponse:
        """Ends a service without a farewell: what it committed stays, the rest is gone.

        Errors: NOT_FOUND with reason SERVICE_UNKNOWN (the device does not run it).
        """
        raise unimplemented(self)

    async def start_service(
        self, request: pb.StartServiceRequest, call: Call = Call()
    ) -> pb.StartServiceResponse:
        """Builds a service anew on the store that it left behind, here or on another device; answers
        when it answers calls. When the caller gives up before that, the attempt is given up as well.

        Errors: NOT_FOUND with reason SERVICE_UNKNOWN (the device neither runs it nor stands by for it).
        """
        raise unimplemented(self)

    async def stop_service(
        self, request: pb.StopServiceRequest, call: Call = Call()
    ) -> pb.StopServiceResponse:
        """Ends a service in order; answers when it has finished what was in flight and let its stores go.

        From then on another device may start it. Errors: NOT_FOUND with reason SERVICE_UNKNOWN (the
        device neither runs it nor stands by for it).
        """
        raise unimplemented(self)

    async def arm_crash(
        self, request: pb.ArmCrashRequest, call: Call = Call()
    ) -> pb.ArmCrashResponse:
        """Lets a service die right after one of its next commits; nothing it does later counts.

        Errors: NOT_FOUND with reason SERVICE_UNKNOWN.
        """
        raise unimplemented(self)

    async def await_crash(
        self, request: pb.AwaitCrashRequest, call: Call = Call()
    ) -> pb.AwaitCrashResponse:
        """Answers whether the commit that was armed has come, when it has or when patience is over.

        When it has not, the service goes on as if nothing had been armed.
        """
        raise unimplemented(self)

    async def set_wire_faults(
        self, request: pb.SetWireFaultsRequest, call: Call = Call()
    ) -> pb.SetWireFaultsResponse:
        """Makes calls of services of the device fail, or heals them: what was set before is over."""
        raise unimplemented(self)

    async def set_database_faults(
        self, request: pb.SetDatabaseFaultsRequest, call: Call = Call()
    ) -> pb.SetDatabaseFaultsResponse:
        """Makes the database of a service fail, or heals it.

        Errors: NOT_FOUND with reason SERVICE_UNKNOWN.
        """
        raise unimplemented(self)

    def watch_database(
        self, request: pb.WatchDatabaseRequest, call: Call = Call()
    ) -> AsyncGenerator[pb.WatchDatabaseResponse, None]:
        """Streams what the database of a service does, as it does it; ends never.

        The first message says that it is watched, with the current sequence; then comes what is behind
        after_sequence, and with 0 what happens from now on. Of a service that is started anew the
        database is another, and its sequence begins anew: watch again. Errors: NOT_FOUND with reason
        SERVICE_UNKNOWN.
        """
        raise unimplemented(self)


class PacerService(Port):
    """Moves the world along with a replay that another process plays."""

    DESCRIPTOR = pb.DESCRIPTOR.services_by_name["PacerService"]
    POLICIES: ClassVar[Mapping[str, Policy]] = {
        "pace_before": Policy(
            deadline_s=60.0,
            idempotency=Idempotency.NOT_IDEMPOTENT,
            callers=frozenset({"marketdata"}),
        ),
        "pace_after": Policy(
            deadline_s=60.0,
            idempotency=Idempotency.SAFE,
            callers=frozenset({"marketdata"}),
        ),
    }

    async def pace_before(
        self, request: pb.PaceBeforeRequest, call: Call = Call()
    ) -> pb.PaceBeforeResponse:
        """Moves the venue along bars of one time, then every clock to their close."""
        raise unimplemented(self)

    async def pace_after(
        self, request: pb.PaceAfterRequest, call: Call = Call()
    ) -> pb.PaceAfterResponse:
        """Answers when everything that the bars caused has come to rest."""
        raise unimplemented(self)
