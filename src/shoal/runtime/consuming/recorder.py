"""A session that remembers what was written through it, and refusers that stand in for everything outside."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

from shoal.drivers.base import Message, Row, Session, Table
from shoal.errors import ShoalError
from shoal.runtime.clients import Answer


class Withheld(ShoalError):
    """Say what a handler would have done outside its store; a dry run does not do it."""


class Recorder:
    """Stands before a `base.Session`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.touched: dict[tuple[str, object], Table] = {}
        """Tables by their names and the keys of rows that were written."""
        self.messages: list[Message] = []
        self.statements: list[tuple[str, tuple[object, ...]]] = []
        """SQL of the service's own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)  # everything that need not be remembered

    def put(self, table: Table, row: Row) -> None:
        """Write a row."""
        self.touched[table.name, row.get(table.key)] = table
        self._session.put(table, row)

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row."""
        self.touched[table.name, row.get(table.key)] = table
        self._session.insert(table, row)

    def delete(self, table: Table, key: object) -> None:
        """Remove a row."""
        self.touched[table.name, key] = table
        self._session.delete(table, key)

    def publish(self, message: Message) -> None:
        """Add a message to the outbox."""
        self.messages.append(message)
        self._session.publish(message)

    def hold(self, needs: Sequence[Any], act: Callable[[Any, Any], None]) -> None:
        """Write something that needs keys."""
        cast("Any", self._session).hold(needs, lambda _, keys: act(self, keys))

    async def execute(self, sql: str, *args: object) -> None:
        """Run SQL."""
        self.statements.append((sql, args))
        await self._session.execute(sql, *args)

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run SQL that returns rows, and may change some."""
        self.statements.append((sql, args))
        return await self._session.fetch(sql, *args)


class Refuser:
    """Stands in for a provided value; whoever calls anything of it is told that a dry run does not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "Refuser":
        if name.startswith("__"):
            raise AttributeError(name)
        return Refuser(f"{self._name}.{name}")

    def __call__(self, *args: object, **more: object) -> NoReturn:
        """Refuse."""
        shown = [*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in more.items())]
        raise Withheld(f"{self._name}({', '.join(shown)})")

    async def __aenter__(self) -> Any:
        """Refuse."""
        return self()

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: it was never entered."""


class RefusingTransport:
    """A `clients.Transport` that reaches nobody."""

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Refuse."""
        del headers, within
        text = body.decode("utf-8", "replace")
        raise Withheld(f"{method} {path} of service {service}{' with ' + text[:500] if text else ''}")

    async def close(self) -> None:
        """Do nothing: there is no connection."""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
