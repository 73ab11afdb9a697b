"""Sessions of SQLAlchemy 2 inside our transactions, for services that have their models already.

What SQLAlchemy calls a transaction is a savepoint of ours: it commits with the handler's own writes, its events and its
inbox mark, or not at all. The only file that imports SQLAlchemy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol, cast, runtime_checkable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from shoal.drivers.base import Lent
from shoal.errors import DeclarationError
from shoal.runtime.transaction import UnitOfWork
from shoal.service.context import Transaction

_SAVEPOINT = "sqlalchemy"

_lending: ContextVar[Any] = ContextVar("shoal_sqlalchemy")


@asynccontextmanager
async def session(tx: Transaction, **options: Any) -> AsyncIterator[AsyncSession]:
    """Open a session on the connection of a transaction; what it holds is flushed when the block ends.

    It sees what the transaction wrote before the block. When the block raises, what the session did is undone, and the
    rest of the transaction may go on. ``commit`` and ``rollback`` of the session end no more than such a part.

    Args:
        tx: Of a service with ``store=Postgres(sql=True)``.
        options: Of `AsyncSession`.

    Raises:
        DeclarationError: The store is not PostgreSQL.
        EngineError: What PostgreSQL said, as for other SQL: `Conflict`, `Unavailable` and so on.
    """
    inner = cast("UnitOfWork", tx).session
    if not isinstance(inner, _Lender):
        raise DeclarationError(
            "a session of SQLAlchemy was asked for, but this store is not PostgreSQL",
            hint="declare Service(..., store=Postgres(sql=True)), and test it on postgres",
        )
    lent = await inner.lend()
    cast("UnitOfWork", tx).uncommitted = True
    token = _lending.set(_Connection(lent.connection))
    try:
        async with AsyncSession(_engine(), **options) as opened, opened.begin():
            yield opened
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None)
        if not isinstance(cause, Exception):
            raise
        raise lent.explain(cause) from error
    finally:
        _lending.reset(token)


@runtime_checkable
class _Lender(Protocol):
    """A session that can lend its connection."""

    async def lend(self) -> Lent: ...


async def _lend() -> Any:
    return _lending.get()


@cache
def _engine() -> AsyncEngine:
    """Make the engine, which knows the server and pools nothing: every connection is lent."""
    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=_lend)
    engine.dialect.supports_native_json_deserialization = False  # the driver's connections give JSON as text
    return engine


class _Connection:
    """A connection of asyncpg whose transaction is somebody else's."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def transaction(self, **_options: Any) -> "_Savepoint":
        """Begin a part of it."""
        return _Savepoint(self._inner)

    async def set_type_codec(self, *_args: Any, **_options: Any) -> None:
        """Do nothing: the connection goes on to others, who want their types as they are."""

    async def close(self, **_options: Any) -> None:
        """Do nothing: it was lent."""

    def terminate(self) -> None:
        """Do nothing: it was lent."""


class _Savepoint:
    """What SQLAlchemy takes for a transaction."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def start(self) -> None:
        await self._inner.execute(f"savepoint {_SAVEPOINT}")

    async def commit(self) -> None:
        await self._inner.execute(f"release savepoint {_SAVEPOINT}")

    async def rollback(self) -> None:
        if not self._inner.is_closed():
            await self._inner.execute(f"rollback to savepoint {_SAVEPOINT}; release savepoint {_SAVEPOINT}")
