"""A transaction of the model database, over a connection that can break at every statement."""

import asyncio
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from shoal.drivers.base import Mark, Message, Query, Receipt, Row, Session, Table
from shoal.errors import Unavailable

if TYPE_CHECKING:
    from shoal.testing.simulation.database import Database, ModelStore

T = TypeVar("T")


class ModelSession:
    """A `base.Session`, and the context manager that ends it."""

    def __init__(self, database: "Database", store: "ModelStore") -> None:
        self._database, self._store = database, store
        self._opened: Any = store.memory.session()
        self._inner: Session
        self._broken = False
        self._doing: asyncio.Task[Any] | None = None
        self._ending: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        await self._store.travel("begin")
        self._inner = await self._opened.__aenter__()
        self._database.enter(self, self._store.domain)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                if not self._broken:
                    await self._do(self._opened.__aexit__(kind, error, trace))
                return
            await self._commit()
        finally:
            self._database.leave(self)

    async def _commit(self) -> None:
        chance = self._database.chance
        try:
            await self._statement("commit")
            if chance.strikes("commit.lost"):
                self._lose("the connection broke before the commit")
        except BaseException:
            self.break_off()
            raise
        await self._do(self._opened.__aexit__(None, None, None))
        self._broken = True
        if chance.strikes("commit.unknown"):
            raise Unavailable("the connection broke while a commit was under way", hint="it may have happened")
        await asyncio.sleep(chance.latency())

    def break_off(self) -> None:
        """Roll back, as a server does whose client is gone."""
        if self._broken:
            return
        self._broken = True
        self._database.leave(self)
        if self._doing is not None:
            self._doing.cancel()
        lost = Unavailable("the connection broke")
        self._ending = self._database.serve(self._opened.__aexit__(Unavailable, lost, None))

    def _lose(self, what: str) -> NoReturn:
        self.break_off()
        raise Unavailable(what, hint="try the whole transaction again")

    async def _statement(self, what: str) -> None:
        """Reach the server."""
        if self._broken:
            self._lose(f"the connection of this transaction broke before: {what}")
        try:
            await self._store.travel(what)
        except Unavailable:
            self.break_off()
            raise
        if self._broken:
            self._lose(f"the connection of this transaction broke: {what}")

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the server work; only where it must wait for a lock does that take a task of its own."""
        try:
            waited = work.send(None)
        except StopIteration as end:
            value: T = end.value
            return value
        task = self._doing = self._database.serve(_go_on(work, waited))
        try:
            await asyncio.wait({task})
        finally:
            self._doing = None
            task.cancel()
        if task.cancelled():
            self._lose("the connection broke while a lock was awaited")
        result: T = task.result()
        return result

    async def _ask(self, what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        await self._statement(what)
        return await self._do(work())

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row."""
        return await self._ask(f"get {table.name}", lambda: _co(self._inner.get(table, key, lock=lock)))

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read rows."""
        return await self._ask(f"find {table.name}", lambda: _co(self._inner.find(table, query)))

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count rows."""
        return await self._ask(f"count {table.name}", lambda: _co(self._inner.count(table, where)))

    def put(self, table: Table, row: Row) -> None:
        """Write a row."""
        self._inner.put(table, row)

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row."""
        self._inner.insert(table, row)

    def delete(self, table: Table, key: object) -> None:
        """Remove a row."""
        self._inner.delete(table, key)

    def publish(self, message: Message) -> None:
        """Add to the outbox."""
        self._inner.publish(message)

    def accept(self, mark: Mark) -> None:
        """Mark a message as handled."""
        self._inner.accept(mark)

    async def claim(self, key: str) -> Receipt | None:
        """Wait for others that claim a key."""
        return await self._ask("claim", lambda: _co(self._inner.claim(key)))

    def answer(self, receipt: Receipt) -> None:
        """Record an answer."""
        self._inner.answer(receipt)

    async def flush(self) -> None:
        """Send what is held back."""
        await self._ask("flush", lambda: _co(self._inner.flush()))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Begin a part that can fail alone."""
        async with self._inner.savepoint():
            yield
        if self._broken:
            self._lose("the connection of this transaction broke within a savepoint")

    async def replace(self, table: Table, twin: Table) -> None:
        """Put a twin in the place of its table."""
        await self._ask("replace", lambda: _co(self._inner.replace(table, twin)))

    async def execute(self, sql: str, *args: object) -> None:
        """Run SQL."""
        await self._ask("execute", lambda: _co(self._inner.execute(sql, *args)))

    async def execute_later(self, sql: str, *args: object) -> None:
        """Run SQL."""
        await self._ask("execute", lambda: _co(self._inner.execute_later(sql, *args)))

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run SQL and read rows."""
        return await self._ask("fetch", lambda: _co(self._inner.fetch(sql, *args)))


async def _co(work: Any) -> Any:
    return await work


@types.coroutine
def _resume(work: Coroutine[Any, Any, T], waited: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that was begun outside of the present task and waits for something."""
    while True:
        thrown: BaseException | None = None
        sent: Any = None
        try:
            sent = yield waited
        except BaseException as error:  # noqa: BLE001 - cancellation, too, is the coroutine's to see
            thrown = error
        try:
            waited = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as end:
            value: T = end.value
            return value


async def _go_on(work: Coroutine[Any, Any, T], waited: Any) -> T:
    return await _resume(work, waited)
