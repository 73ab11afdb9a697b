"""PostgreSQL as the tests of its driver run it: one cluster, a database for every test."""

import itertools
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Session, Store
from shoal.local.engines import Running, postgres, start
from shoal.model import catalog
from tests.conformance.harness import account

PASSWORD = "it's a secret"


class Engine:
    """A cluster for all tests of this file."""

    def __init__(self, place: Path) -> None:
        self.options = postgres.PostgresOptions(
            data=place / "pg" / "data",
            sockets=place / "run",
            password=PASSWORD,
            settings=(("recovery_init_sync_method", "syncfs"),),  # there are many files, of many databases
        )
        self.log: list[str] = []
        self._running: Running | None = None
        self._unused: list[Account] = []
        self._names = (f"svc_{number}" for number in itertools.count())

    async def start(self) -> None:
        self._running = await start(postgres.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    def url(self, role: str, password: str, database: str) -> str:
        return f"postgres://{quote(role)}:{quote(password, safe='')}@/{database}?host={self.options.sockets}"

    @property
    def operator(self) -> str:
        return self.url(postgres.SUPERUSER, PASSWORD, "postgres")

    async def account(self) -> Account:
        """Take an unused database; they are made several at once, which costs little more than one."""
        if not self._unused:
            self._unused = [account(next(self._names)) for _ in range(16)]
            await store_admin(self.operator).declare(self._unused)
        return self._unused.pop()


class Harness:
    """A database for one test."""

    capabilities = catalog.engine("postgres").capabilities

    def __init__(self, engine: Engine, made: Account) -> None:
        self.made = made
        self.crash, self.start = engine.crash, engine.start
        self.url = engine.url(made.role, made.password, made.database) + "&pool=6"
        self.opened: list[Store] = []

    async def store(self) -> Store:
        store = open_store(self.url)
        self.opened.append(store)
        await store.open()
        return store

    async def vanish(self, store: Store) -> None:
        await store.close()

    async def age(self, days: float) -> None:
        """Move rows and the bounds of the parts that hold them."""
        async with self.opened[0].session() as session:
            for table, column in (("outbox", "created_at"), ("inbox", "at")):
                await _age(session, table, column, days)
            await session.execute("update shoal.receipts set at = at - make_interval(secs => $1)", days * 86_400)


async def _age(session: Session, table: str, column: str, days: float) -> None:
    parts = await session.fetch(PARTS, f"shoal.{table}")
    earlier = f"set {column} = {column} - make_interval(secs => {days * 86_400})"
    for number, part in enumerate(parts):
        await session.execute(f"alter table shoal.{table} detach partition {part['name']}")
        await session.execute(f"alter table {part['name']} rename to moving_{number}")
        await session.execute(f"update shoal.moving_{number} {earlier}")
    for number, part in enumerate(parts):
        name, bounds = str(part["name"]), DATE.sub(lambda date: f"'{_moved(date[1], days)}'", str(part["bounds"]))
        if name[-1].isdigit():
            name = f"{table}_{datetime.fromisoformat(DATE.findall(bounds)[0]):%Y%m%d%H%M}"
        name = name.removeprefix("shoal.")
        await session.execute(f"alter table shoal.moving_{number} rename to {name}")
        await session.execute(f"alter table shoal.{table} attach partition shoal.{name} {bounds}")


def _moved(date: str, days: float) -> datetime:
    return datetime.fromisoformat(date) - timedelta(days)


PARTS = """
select i.inhrelid::regclass::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds from pg_inherits i
join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::text::regclass
"""
DATE = re.compile(r"'([^']+)'")
