"""Connections through a pooler that gives each transaction another session of the server.

Nothing of a session may then be relied on between transactions: no prepared statement, no setting. The client asks
for a statement's types in one message and runs it in another, so that even a single statement needs a transaction.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shoal.drivers.base import Row
from shoal.drivers.postgres import client
from shoal.drivers.postgres.address import Address, without
from shoal.drivers.postgres.client import COMMAND_SECONDS, SETTINGS, Link
from shoal.drivers.postgres.sql import literal

_FOLLOWED = ("application_name", "timezone")
"""What PgBouncer itself sets anew when a connection meets another session: the last that it has heard of."""

_LOCAL = ("idle_in_transaction_session_timeout", "jit", "statement_timeout")
"""What each transaction sets for itself; the rest is between the pooler and the server."""


class PooledLink(Link):
    """One connection to a pooler."""

    __slots__ = ("_restore", "_settle")

    def __init__(self, connection: Any, followed: Mapping[str, str], local: Mapping[str, str]) -> None:
        super().__init__(connection)
        self._settle = "".join(f"; set local {name} = {literal(value)}" for name, value in local.items())
        self._restore = "".join(f"; set {name} = {literal(value)}" for name, value in followed.items())

    async def begin(self, how: str = "begin") -> None:
        """Begin a transaction, in the same message as its settings."""
        await super().execute(how + self._settle)

    async def fetch(self, sql: str, args: Sequence[object] = (), *, seconds: float = COMMAND_SECONDS) -> list[Row]:
        """Run one statement and return its rows."""
        async with self._session():
            return await super().fetch(sql, args, seconds=seconds)

    async def execute(self, sql: str, args: Sequence[object] = ()) -> None:
        """Run one statement, or without arguments several, which travel as one message."""
        if not args:
            await super().execute(sql)
            return
        async with self._session():
            await super().execute(sql, args)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement with each of some rows of arguments, and wait once."""
        async with self._session():
            await super().execute_many(sql, rows)

    def _cleaning(self, how: str) -> str:
        """Leave the session as others of the pooler want it, also when the commit fails, which ends the message.

        What was set goes with a transaction that fails, but locks and prepared statements of the session do not.
        """
        lasting = "deallocate all; select pg_advisory_unlock_all()"
        ended = f"{lasting}; {how}" if how == "commit" else f"{how}; {lasting}"
        return f"{ended}; reset all{self._restore}"

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[None]:
        """Stay in one session of the server."""
        if self.in_transaction:
            yield
            return
        await self.begin()
        try:
            yield
        except BaseException:
            if not self.broken:
                await self.end("rollback")
            raise
        await self.end("commit")


async def reach(address: Address) -> Link:
    """Open a connection for statements and transactions; `Unavailable` when nobody answers in time."""
    if not address.pooled:
        return await client.connect(address.url)
    said = dict(parse_qsl(urlsplit(address.url).query))
    wanted = {**SETTINGS, "client_encoding": "UTF8", **said}
    followed = {name: wanted[name] for name in _FOLLOWED}
    connection = await client.dial(without(address.url, tuple(SETTINGS)), followed, cached=0)
    link = PooledLink(
        connection,
        {name: wanted[name] for name in (*_FOLLOWED, "client_encoding")},
        {name: wanted[name] for name in _LOCAL},
    )
    link.namespace = urlsplit(address.url).path.lstrip("/")
    return link
