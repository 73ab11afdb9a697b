"""How often messages were tried: rows of the service's own store, so that attempts count over replicas and crashes."""

import traceback
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Literal, get_args

import msgspec

from shoal.drivers.base import OwnTable, Query, Row, Session, Store
from shoal.runtime.failures import plain, spell

ATTEMPTS = OwnTable(
    name="attempts",
    key="id",
    columns=(
        ("id", "text"),
        ("consumer", "text"),
        ("state", "text"),
        ("count", "integer"),
        ("history", "json"),
        ("at", "time"),
    ),
    indexes=(("consumer", "at"),),
)

KEPT = timedelta(days=8)
"""For so long it is remembered what became of a message; its stream keeps it for less."""

MOST_KNOWN = 5_000
"""Messages of which a holder knows what others wrote, the latest; older ones that come once more are tried anew."""

MOST_TRIES = 20
"""Attempts that are remembered of one message."""

_MOST_LINES, _FEW_LINES = 12, 2
_LONGEST_LINE = 300

_HERE = str(PurePath(__file__).parent)

State = Literal["trying", "dying", "dead", "purged"]

_HELD = "held"
"""State of the row that says that somebody holds the consumer; whoever leaves it in order removes it."""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to handle a message."""

    at: datetime
    replica: str
    error: str
    stack: tuple[str, ...] = ()
    """Where it failed, the innermost frame last."""


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one message that was not handled at once."""

    state: State = "trying"
    """``dying``: it is not handled any more, but its letter may not be written. ``dead``: it is. ``purged``: the letter
    was thrown away."""
    count: int = 0
    history: tuple[Try, ...] = ()

    def failed(self, new: Try) -> "Attempts":
        """Add an attempt; of earlier ones only the last frames are kept."""
        before = (msgspec.structs.replace(one, stack=one.stack[-_FEW_LINES:]) for one in self.history)
        history = (*before, new)[-MOST_TRIES:]
        return msgspec.structs.replace(self, count=self.count + 1, history=history)

    def corrected(self, new: Try) -> "Attempts":
        """Put what is known now in the place of what was noted before the last attempt."""
        return msgspec.structs.replace(self, history=(*self.history[:-1], new))

    def undone(self) -> "Attempts":
        """Take the last attempt back: something else was to blame."""
        return msgspec.structs.replace(self, count=self.count - 1, history=self.history[:-1])


NONE = Attempts()

_history = msgspec.json.Decoder(tuple[Try, ...])


class Tally:
    """The attempts at messages of one consumer."""

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer
        self._known: dict[str, Attempts] = {}

    async def open(self, store: Store, now: datetime) -> int:
        """Begin to hold the consumer: read what earlier holders wrote, and let go of what can matter no more.

        Returns:
            How many holders in a row ended without leaving it in order.
        """
        self._known.clear()
        where = {"consumer": self.consumer}
        async with store.session() as session:
            old = Query(where={**where, "state": get_args(State)}, at_most={"at": now - KEPT})
            for row in await session.find(ATTEMPTS.table, old):
                session.delete(ATTEMPTS.table, row["id"])
            held = await session.get(ATTEMPTS.table, self._row_id(""))
            latest = Query(where=where, order=("-at",), limit=MOST_KNOWN)
            rows = {str(row["id"]): row for row in await session.find(ATTEMPTS.table, latest)}
            rows.pop(self._row_id(""), None)
            ended = 0 if held is None else msgspec.convert(held["count"], int) + 1
            self._hold(session, ended, now)
        for name, row in rows.items():
            self.note(name.removeprefix(self._row_id("")), _attempts(row))
        return ended

    async def calm(self, store: Store, now: datetime) -> None:
        """Note that this holder has lived long enough for earlier ends to be no message's fault."""
        async with store.session() as session:
            self._hold(session, 0, now)

    async def close(self, store: Store) -> None:
        """Leave the consumer in order."""
        async with store.session() as session:
            session.delete(ATTEMPTS.table, self._row_id(""))

    def _hold(self, session: Session, ended: int, now: datetime) -> None:
        row = {"consumer": self.consumer, "state": _HELD, "count": ended, "history": "[]", "at": now}
        session.put(ATTEMPTS.table, {"id": self._row_id(""), **row})

    def of(self, message: str) -> Attempts:
        """Return what is known of a message; of a dead one, no more than the last error."""
        return self._known.get(message, NONE)

    async def read(self, store: Store, message: str) -> Attempts:
        """Read what is written of a message by now, since operators write as well."""
        async with store.session() as session:
            row = await session.get(ATTEMPTS.table, self._row_id(message))
        found = NONE if row is None else _attempts(row)
        self.note(message, found)
        return found

    def write(self, session: Session, message: str, attempts: Attempts, now: datetime) -> None:
        """Write it down, as a part of a transaction; call `note` once that has committed."""
        row = {
            "id": self._row_id(message),
            "consumer": self.consumer,
            "state": attempts.state,
            "count": attempts.count,
            "history": msgspec.json.encode(attempts.history).decode(),
            "at": now,
        }
        session.put(ATTEMPTS.table, row)

    def forget(self, session: Session, message: str) -> None:
        """Remove it, as a part of a transaction."""
        session.delete(ATTEMPTS.table, self._row_id(message))

    def note(self, message: str, attempts: Attempts) -> None:
        """Remember it."""
        if attempts is NONE:
            self._known.pop(message, None)
        else:
            self._known[message] = _brief(attempts) if attempts.state == "dead" else attempts

    def _row_id(self, message: str) -> str:
        return f"{self.consumer} {message}"


def attempt(error: BaseException, replica: str, now: datetime) -> Try:
    """Describe a failure."""
    return Try(at=now, replica=replica, error=spell(error), stack=stack_of(error))


def stack_of(error: BaseException) -> tuple[str, ...]:
    """List the innermost frames of an error below ours, by the last folders of their files."""
    found = traceback.extract_tb(error.__traceback__)
    frames = ([frame for frame in found if not frame.filename.startswith(_HERE)] or found)[-_MOST_LINES:]
    lines = (f"{_short(frame.filename)}:{frame.lineno} {frame.name}: {frame.line}" for frame in frames)
    return tuple(plain(line)[:_LONGEST_LINE] for line in lines)


def _short(file: str) -> str:
    return "/".join(PurePath(file).parts[-3:])


def _brief(attempts: Attempts) -> Attempts:
    """Keep what tells why a message is dead: it may come again, but seldom does."""
    last = (msgspec.structs.replace(one, stack=()) for one in attempts.history[-1:])
    return msgspec.structs.replace(attempts, history=tuple(last))


def _attempts(row: Row) -> Attempts:
    history = _history.decode(str(row["history"]))
    state = msgspec.convert(row["state"], State)
    return Attempts(state=state, count=msgspec.convert(row["count"], int), history=history)
