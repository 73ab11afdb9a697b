"""Connections to PostgreSQL, and the meaning of their errors. The only file that imports asyncpg."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from shoal.drivers.base import Lent, Row
from shoal.drivers.base.observing import observing
from shoal.drivers.postgres import patience
from shoal.errors import Conflict, Contended, Duplicate, EngineError, TimedOut, Unavailable, Unstorable

if TYPE_CHECKING:
    from asyncpg import Record

COMMAND_SECONDS = 12.0
"""A statement that the server has not answered by then is given up, and its connection with it."""

SCRIPT_SECONDS = 3600.0
"""The same for scripts, such as migrations: for ever would be for a server that is gone without a word, too."""

SETTINGS = {
    "application_name": "shoal",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
    "statement_timeout": "10s",
    "tcp_keepalives_count": "3",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "timezone": "UTC",
}
"""Of every connection; the URL's query may replace them. Keep-alives let the server notice a dead client."""

_TRY_AGAIN = ("08", "40", "53", "55P03", "57", "25P03", "25P04")
"""SQLSTATE classes and codes after which trying again may help (PostgreSQL documentation, appendix A)."""

_CONTENDED = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock not available."""

_UNSTORABLE = ("22001", "22003", "22008", "22021", "22P05")
"""Too long a text, too large a number or date, and characters that no text holds, such as NUL."""

_RECORDED = {"inbox": "this message was already handled", "receipts": "this key already has an answer"}
_PART = re.compile(r"_(first|rest|\d{12})$")

_FATAL = ("08", "57P", "25P03", "25P04")
"""The server closes the connection after these."""

_LOST = (asyncpg.InternalClientError, OSError, TimeoutError)
_KNOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, *_LOST)


class Link:
    """One connection. Once `broken` it is of no further use."""

    __slots__ = ("_connection", "_error", "_until", "dirty", "namespace", "used_at")

    def __init__(self, connection: "asyncpg.Connection[Record]", namespace: str = "") -> None:
        self._connection = connection
        self.namespace = namespace
        """Name of the database."""
        self._error: BaseException | None = None
        """What the statement at hand failed with."""
        self._until = patience.watch(self.abort)
        self.dirty = False
        """Whether SQL that is not ours ran on it, and may have changed the state of its server session."""
        self.used_at = 0.0
        """When it was given back, on the event loop's clock."""

    async def fetch(self, sql: str, args: Sequence[object] = (), *, seconds: float = COMMAND_SECONDS) -> list[Row]:
        """Run one statement and return its rows."""
        began = self._begin(seconds)
        try:
            return [dict(record) for record in await self._connection.fetch(sql, *args)]
        except _KNOWN as error:
            raise self._understand(error) from error
        except BaseException as error:
            self._error = error
            self.abort()
            raise
        finally:
            self._end(sql, began)

    async def execute(self, sql: str, args: Sequence[object] = ()) -> None:
        """Run one statement, or without arguments several, separated by semicolons."""
        began = self._begin(COMMAND_SECONDS)
        try:
            await self._connection.execute(sql, *args)
        except _KNOWN as error:
            raise self._understand(error) from error
        except BaseException as error:
            self._error = error
            self.abort()
            raise
        finally:
            self._end(sql, began)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement with each of some rows of arguments, and wait once."""
        began = self._begin(COMMAND_SECONDS)
        try:
            await self._connection.executemany(sql, rows)
        except _KNOWN as error:
            raise self._understand(error) from error
        except BaseException as error:
            self._error = error
            self.abort()
            raise
        finally:
            self._end(sql, began, len(rows))

    async def script(self, sql: str) -> None:
        """Run statements that may take as long as `SCRIPT_SECONDS`."""
        self._until.begin(SCRIPT_SECONDS)
        try:
            await self._connection.execute(sql)
        except _KNOWN as error:
            raise self._understand(error, show_rows=True) from error
        except BaseException:
            self.abort()
            raise
        finally:
            self._until.end()

    def _begin(self, seconds: float) -> int:
        """Note that a statement begins, and return when, for who observes it."""
        self._until.begin(seconds)
        return 0 if observing.get() is None else time_ns()

    def _end(self, sql: str, began: int, count: int = 1) -> None:
        """Note that it has ended, and tell who observes it."""
        self._until.end()
        error, self._error = self._error, None
        observer = observing.get()
        if began and observer is not None:
            observer.asked("postgresql", sql, began, namespace=self.namespace, count=count, error=error)

    async def begin(self, how: str = "begin") -> None:
        """Begin a transaction."""
        await self.execute(how)

    async def end(self, how: str) -> None:
        """Commit or roll back, and leave nothing behind that SQL that is not ours may have set."""
        await self.execute(self._cleaning(how) if self.dirty else how)
        self.dirty = False

    def _cleaning(self, how: str) -> str:
        """End a transaction and what it has set in the server session; who fails to do so is not used again."""
        return f"{how}; reset all; select pg_advisory_unlock_all()"

    def lend(self) -> Lent:
        """Lend the client's own connection."""
        return Lent(connection=self._connection, explain=self._understand)

    @property
    def broken(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.is_closed()

    @property
    def in_transaction(self) -> bool:
        """Whether the server session is inside a transaction."""
        return not self._connection.is_closed() and self._connection.is_in_transaction()

    @property
    def clean(self) -> bool:
        """Whether anybody may use it next."""
        connection = self._connection
        return not self.dirty and not connection.is_closed() and not connection.is_in_transaction()

    def abort(self) -> None:
        """Drop the connection without a word to the server, which might not listen."""
        self._connection.terminate()

    def _understand(self, error: Exception, *, show_rows: bool = False) -> EngineError:
        """Say what an error means; a connection whose state is unknown afterwards is dropped.

        Unless `show_rows`, errors lose their detail: it quotes rows, and tracebacks end in logs.
        """
        self._error = understood = self._translate(error, show_rows=show_rows)
        return understood

    def _translate(self, error: Exception, *, show_rows: bool) -> EngineError:
        if self._until.expired:
            return _lost(TimeoutError())
        if isinstance(error, asyncpg.PostgresError):
            if (error.sqlstate or "").startswith(_FATAL):
                self.abort()
            if not show_rows:
                error.detail = None
            return _translate_state(error)
        if isinstance(error, asyncpg.InterfaceError):
            return _lost(error) if self.broken else EngineError(f"PostgreSQL was asked in a wrong way: {error}")
        self.abort()
        return _lost(error)


async def connect(url: str, settings: Mapping[str, str] | None = None, *, seconds: float = 5.0) -> Link:
    """Open a connection; `Unavailable` when the server does not answer in time."""
    connection = await dial(url, SETTINGS | dict(settings or {}), cached=512, seconds=seconds)
    return Link(connection, urlsplit(url).path.lstrip("/"))


async def dial(
    url: str, settings: Mapping[str, str], *, cached: int, seconds: float = 5.0
) -> "asyncpg.Connection[Record]":
    """Open the client's own connection, which keeps so many prepared statements; `Unavailable` as `connect`."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncpg.connect(
                url,
                timeout=seconds,
                statement_cache_size=cached,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=1 << 20,
                server_settings={**settings},
            )
    except _KNOWN as error:
        raise _refused(url, error) from error


def position(error: BaseException) -> int:
    """Return where in its SQL a statement failed, as a character counted from 1; 0 when nobody knows."""
    cause = error.__cause__
    found = getattr(cause, "position", None) if isinstance(cause, asyncpg.PostgresError) else None
    return int(found) if found else 0


class Said(NamedTuple):
    """What the server said of a failure."""

    state: str = ""
    constraint: str = ""
    text: str = ""


def said(error: BaseException) -> Said:
    """Return the server's own words; empty when it said nothing."""
    cause = error.__cause__
    if not isinstance(cause, asyncpg.PostgresError):
        return Said()
    constraint = getattr(cause, "constraint_name", None)
    return Said(cause.sqlstate or "", str(constraint or ""), str(cause.args[0]) if cause.args else "")


def hint(error: BaseException) -> str:
    """Return the server's own hint or detail, or nothing."""
    cause = error.__cause__
    if not isinstance(cause, asyncpg.PostgresError):
        return ""
    return str(getattr(cause, "hint", None) or getattr(cause, "detail", None) or "")


def _translate_state(error: asyncpg.PostgresError) -> EngineError:
    state = error.sqlstate or ""
    said = str(error.args[0]) if error.args else type(error).__name__
    if state == "23505":
        return _taken(error)
    if state.startswith("23") and state != "23502":
        table, constraint = getattr(error, "table_name", None), getattr(error, "constraint_name", None)
        return Conflict(f"PostgreSQL refused a change of table {table}: constraint {constraint} ({said})")
    if state in _UNSTORABLE or (state == "22000" and "out of" in said):  # the client's own check of numbers says so
        return Unstorable(f"PostgreSQL cannot store a value: {said}", hint="bound it in the type of the request")
    if state.startswith(_TRY_AGAIN):
        return _given_up(state, said)
    return EngineError(f"PostgreSQL failed: {said}", hint=str(getattr(error, "hint", None) or ""))


def _given_up(state: str, said: str) -> EngineError:
    if state == "57014":  # the server's own limit; one that does not answer at all is lost a little later
        return TimedOut(f"PostgreSQL gave up: {said}", hint="make the statement faster: an index, or fewer rows")
    kind = Contended if state in _CONTENDED else Unavailable
    return kind(f"PostgreSQL gave up: {said}", hint="try the whole transaction again")


def _lost(error: Exception) -> Unavailable:
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return Unavailable(f"lost PostgreSQL: {reason}", hint="try the whole transaction again")


def _taken(error: asyncpg.PostgresError) -> Conflict:
    schema, table = getattr(error, "schema_name", None), str(getattr(error, "table_name", None))
    constraint = getattr(error, "constraint_name", None)
    whole = _PART.sub("", table)
    if schema == "shoal" and whole in _RECORDED:
        return Duplicate(_RECORDED[whole])
    return Conflict(
        f"a row of table {table} with this key exists: unique constraint {constraint}",
        hint="read it first, or answer the caller with 409",
    )


def _refused(url: str, error: Exception) -> EngineError:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    where = parts.hostname or query.get("host") or "the default host"
    place = f"database {parts.path.lstrip('/')!r} at {where} as {parts.username!r}"
    if isinstance(error, asyncpg.PostgresError) and not (error.sqlstate or "").startswith(_TRY_AGAIN):
        return EngineError(f"PostgreSQL refused {place}: {error}", hint="check the store's URL and its role's rights")
    reason = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return Unavailable(f"cannot reach {place}: {reason}", hint="start PostgreSQL, or check the store's URL")
