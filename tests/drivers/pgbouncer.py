"""PgBouncer before the cluster of the tests: fewer sessions of the server than connections, a new one each time."""

import asyncio
import shutil
from pathlib import Path

import pytest

from shoal.local.engines import postgres, start
from shoal.local.engines.recipe import Addresses, Recipe, Running
from shoal.local.privilege import unprivileged
from shoal.local.probe import until
from shoal.local.process import Command, base_environment
from tests.drivers.postgres_engine import PASSWORD, Engine

PORT = 6432

_SETTINGS = f"""[databases]
* = host={{server}} port=5432
[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {{here}}
auth_type = scram-sha-256
auth_file = {{here}}/users
auth_user = {postgres.SUPERUSER}
auth_query = {{asked}}
pool_mode = transaction
default_pool_size = 6
server_round_robin = 1
server_idle_timeout = 1
"""


def require() -> str:
    """Return its program, or skip the test."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        pytest.skip("no pgbouncer here: apt install pgbouncer")
    return found


class Pooler:
    """One PgBouncer in transaction mode."""

    def __init__(self, engine: Engine, place: Path) -> None:
        self._engine, self._place, self._program = engine, place, require()
        self._running: Running | None = None

    async def start(self) -> None:
        recipe = Recipe(name="pgbouncer", prepare=self._prepare, probe=self._answers)
        self._running = await start(recipe, on_line=lambda _: None)

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.process.stop()

    def url(self, direct: str) -> str:
        """Return the way through it to where `direct` leads."""
        bare, _, folder = direct.partition("host=")
        here = f"{bare}host={self._place}&port={PORT}"
        return f"{here}&pooler=transaction&direct={folder.partition('&')[0]}"

    async def _prepare(self) -> Command:
        self._place.mkdir(parents=True, exist_ok=True)
        settings, users = self._place / "pgbouncer.ini", self._place / "users"
        asked = "select usename, passwd from pg_shadow where usename = $1"
        settings.write_text(_SETTINGS.format(server=self._engine.options.sockets, here=self._place, asked=asked))
        users.write_text(f'"{postgres.SUPERUSER}" "{PASSWORD}"\n')
        privilege = await unprivileged(Path(self._program), self._place)
        privilege.give(self._place, settings, users)
        argv = (*privilege.prefix, self._program, "-q", str(settings))
        return Command(name="pgbouncer", argv=argv, cwd=self._place, env=base_environment())

    async def _answers(self) -> Addresses:
        async def accepts() -> bool:
            _, writer = await asyncio.open_unix_connection(self._place / f".s.PGSQL.{PORT}")
            writer.close()
            return True

        await until(accepts)
        return {}
