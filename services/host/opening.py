"""Opens what a service keeps its state in, as the settings of its device say."""

from contextlib import AsyncExitStack

from runtime.environment import Environment
from runtime.hosting import Tasks
from runtime.ids import Ids
from runtime.progress import Progress
from runtime.stores import Database, connect
from runtime.stores.spool import Spool, free_share_of
from services.host.peers.ways import DISCOVERY
from services.host.settings.options import Settings
from services.host.surroundings import Surroundings
from services.wiring import READERS, SPOOLING


class Opener:
    """Opens the stores of each service of a device."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.bundled = ""  # Where the Valkey listens that comes with the device.
        self._settings = settings
        self._around = around

    async def open(self, name: str) -> Environment:
        """Return what service `name` runs with; raises, with nothing left open, when it cannot."""
        async with AsyncExitStack() as opening:
            environment = await self._environment(name, opening)
            opening.pop_all()  # From here on the host closes what is open.
            return environment

    async def _environment(self, name: str, opening: AsyncExitStack) -> Environment:
        settings, around = self._settings, self._around
        identity, url = settings.hosted[name], settings.database_urls.get(name, "")

        def opened(file: str, url: str = "") -> Database:
            if settings.is_ephemeral:
                database = Database.inline_memory()
            elif url:
                database = Database.at_url(url)
            else:
                database = Database.sqlite_file(settings.folder / file)
            opening.push_async_callback(database.close)
            return database

        is_keeping_leases = name == DISCOVERY and bool(settings.announce)
        client = connect(settings.redis_urls.get(name, self.bundled))
        opening.push_async_callback(client.aclose)
        spool, progress = None, Progress()
        if name in SPOOLING:
            free_share = free_share_of(settings.folder)
            spool = Spool(opened(f"{identity.schema}.spool"), around.clock, free_share)
        for stream in READERS.get(name, ()):
            progress.has_read(stream, 0)
        return Environment(
            service=name,
            clock=around.steady if is_keeping_leases else around.clock,
            rng=around.rng(name),
            ids=Ids(around.rng(name, "ids")),
            database=opened(f"{identity.schema}.sqlite", url),
            streams=settings.deployment.streams(identity, client),
            progress=progress,
            tasks=Tasks(name),
            spool=spool,
        )
