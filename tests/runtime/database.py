"""A PostgreSQL for the tests of one file, as ``shoal run`` starts it, and an empty database for each test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Store
from shoal.local.engines import Running, postgres, start

_PASSWORD = "a password"


class Database:
    """A running server."""

    def __init__(self, place: Path) -> None:
        self.place = place
        """Folder that goes with the server."""
        self._options = postgres.PostgresOptions(data=place / "pg" / "data", sockets=place / "run", password=_PASSWORD)
        self._running: Running | None = None
        self._names = (f"db_{number}" for number in count())
        self._opened: list[Store] = []

    async def start(self) -> None:
        """Start the server, or start it again."""
        self._running = await start(postgres.recipe(self._options), on_line=lambda _: None)

    async def crash(self) -> None:
        """Kill the server with SIGKILL."""
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        """Close what was opened, and stop the server."""
        for store in self._opened:
            await store.close()
        if self._running is not None:
            await self._running.process.stop()

    async def empty(self) -> str:
        """Make an empty database and return its address."""
        name = next(self._names)
        await store_admin(self._url(postgres.SUPERUSER, "postgres")).declare(
            [Account(database=name, role=name, password=_PASSWORD)]
        )
        return self._url(name, name)

    def store(self, url: str, *, pool: int = 4) -> Store:
        """Make a store as one replica has it; it is opened by who uses it, and closed at the latest with the server."""
        self._opened.append(open_store(f"{url}&pool={pool}"))
        return self._opened[-1]

    def _url(self, role: str, database: str) -> str:
        return f"postgres://{quote(role)}:{quote(_PASSWORD)}@/{database}?host={self._options.sockets}"


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """Run a server until the block ends."""
    place = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    place.chmod(0o755)  # noqa: ASYNC240 - one small folder; the server's user may be another one
    server = Database(place)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
