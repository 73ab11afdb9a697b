"""The same as a workflow of DBOS, in both of its interfaces: each step is a transaction with its checkpoint."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import sqlalchemy as sa
from dbos import DBOS, AsyncSQLAlchemyDatasource, SQLAlchemyDatasource

from bench.durable.work import Act

LEAST = 20
"""Connections of DBOS's pool by default; with one it would wait for itself."""

INSERT = sa.text("insert into work (id, saga, step) values (:id, :saga, :step)")
DELETE = sa.text("delete from work where id = :id")
CREATE = sa.text("create table if not exists work (id text primary key, saga text not null, step text not null)")
STEPS = ("flight", "room", "car")


async def workflows(url: str, clients: int) -> list[Act]:
    """Launch DBOS with asynchronous workflows and steps."""
    _configure(url, clients)
    source = await AsyncSQLAlchemyDatasource.create(url, engine_kwargs={"pool_size": max(LEAST, clients)})
    async with source.engine.begin() as connection:
        await connection.execute(CREATE)

    @source.transaction(isolation_level="READ COMMITTED")
    async def book(number: str, what: str) -> str:
        await source.sql_session().execute(INSERT, {"id": f"{number}-{what}", "saga": number, "step": what})
        return what

    @source.transaction(isolation_level="READ COMMITTED")
    async def cancel(number: str, what: str) -> None:
        await source.sql_session().execute(DELETE, {"id": f"{number}-{what}"})

    @DBOS.workflow()
    async def trip(number: str) -> list[str]:
        done: list[str] = []
        try:
            for what in STEPS:
                done.append(await book(number, what))  # noqa: PERF401 - what was done so far is undone
        except Exception:
            for what in reversed(done):
                await cancel(number, what)
            raise
        return done

    DBOS.launch()

    async def act() -> None:
        assert await trip(token_hex(16)) == [*STEPS]

    return [act] * clients


async def threads(url: str, clients: int) -> list[Act]:
    """Launch DBOS with plain functions, a thread for each client."""
    _configure(url, clients)
    source = SQLAlchemyDatasource.create(url, engine_kwargs={"pool_size": max(LEAST, clients)})
    with source.engine.begin() as connection:
        connection.execute(CREATE)

    @source.transaction(isolation_level="READ COMMITTED")
    def book(number: str, what: str) -> str:
        source.sql_session().execute(INSERT, {"id": f"{number}-{what}", "saga": number, "step": what})
        return what

    @source.transaction(isolation_level="READ COMMITTED")
    def cancel(number: str, what: str) -> None:
        source.sql_session().execute(DELETE, {"id": f"{number}-{what}"})

    @DBOS.workflow()
    def trip(number: str) -> list[str]:
        done: list[str] = []
        try:
            for what in STEPS:
                done.append(book(number, what))  # noqa: PERF401 - what was done so far is undone
        except Exception:
            for what in reversed(done):
                cancel(number, what)
            raise
        return done

    DBOS.launch()
    pool = ThreadPoolExecutor(clients)

    async def act() -> None:
        assert await asyncio.get_running_loop().run_in_executor(pool, trip, token_hex(16)) == [*STEPS]

    return [act] * clients


def _configure(url: str, clients: int) -> None:
    size = max(LEAST, clients)
    DBOS(config={"name": "bench", "system_database_url": url, "sys_db_pool_size": size, "log_level": "ERROR"})
