"""A PostgreSQL of the benchmark's own, from the recipe that ``shoal run`` uses, durable as it is there."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shoal.local.engines import postgres, start
from shoal.local.engines.postgres import SUPERUSER, PostgresOptions

DATABASE = "bench"
_PASSWORD = "bench"  # noqa: S105 - of a server that only this user can reach, and that ends with the run
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "autovacuum")
_QUIET = (("autovacuum", "off"),)  # it would strike whoever runs at the moment
_SESSIONS = "select count(*) from pg_stat_activity where datname = $1"
_COMMITS = "select xact_commit from pg_stat_database where datname = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A running server with an empty database."""

    url: str
    pid: int
    admin: "asyncpg.Connection[asyncpg.Record]"
    """Connected to another database, so that it counts nothing in the one that is measured."""

    async def settings(self) -> dict[str, str]:
        """Read what durability and speed depend on."""
        return {name: str(await self.admin.fetchval("select current_setting($1)", name)) for name in _SETTINGS}

    async def commits(self) -> int:
        """Read how many transactions were committed, once every session has ended, which is when they are counted."""
        while await self.admin.fetchval(_SESSIONS, DATABASE):  # noqa: ASYNC110 - the server sends no word of it
            await asyncio.sleep(0.02)
        return int(await self.admin.fetchval(_COMMITS, DATABASE))


def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="shoal-bench-"))
    place.chmod(0o755)  # the server's user may be another one
    return place


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """Run a server until the block ends."""
    place = _place()
    options = PostgresOptions(
        data=place / "data", sockets=place / "run", password=_PASSWORD, settings=_QUIET, max_connections=100
    )
    try:
        running = await start(postgres.recipe(options), on_line=lambda _line: None)
        try:
            admin = await asyncpg.connect(
                host=str(options.sockets), user=SUPERUSER, password=_PASSWORD, database="postgres"
            )
            await admin.execute(f"create database {DATABASE}")
            url = f"postgres://{SUPERUSER}:{_PASSWORD}@/{DATABASE}?host={options.sockets}"
            yield Database(url=url, pid=running.process.pid, admin=admin)
            await admin.close()
        finally:
            await running.process.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)
