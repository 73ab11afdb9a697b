"""One commit of Firestore: what must be known before, what it says then, and what it means that it cannot be. Pure.

Every document that a write depends on is read first, and demanded as it was: Firestore then does everything, or nothing
because something has changed meanwhile, and all of it is tried anew. Nothing is locked while we think.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shoal.drivers.base import Row, Table, matching
from shoal.drivers.base.documents.engine import Hold, Numbered, Refused
from shoal.drivers.base.documents.folding import Intent
from shoal.drivers.firestore import values
from shoal.drivers.firestore.values import Json
from shoal.errors import Contended

COUNTERS, GUARDS = "shoal.counters", "shoal.unique"

Path = Callable[[str, str], str]
"""From a collection and a last part to a document's name in full."""

Known = Mapping[str, Json]
"""Documents that there are, by name in full."""


def guard(table: Table, column: str, found: object) -> str:
    """Name the document that holds a unique value."""
    return values.name(f"{table.name}\n{column}\n{values.name(matching.identity(found))}")


@dataclass(kw_only=True)
class Commit:
    """What is to become of documents, all at once.

    Args:
        intents: One for each document.
        hold: Locks that must be their owner's.
        last: Writes that need numbers.
        path: Says where documents are.
        lock: Says where a lock is.
    """

    intents: Sequence[Intent]
    hold: Hold | None
    last: Numbered | None
    path: Path
    lock: Callable[[str], str]
    writes: list[Json] = field(default_factory=list)
    _guards: dict[str, tuple[Intent, str, bool]] = field(default_factory=dict)

    def first_look(self) -> list[str]:
        """List the documents that must be known before anything is said."""
        paths = [self.at(intent) for intent in self.intents if _needs_old(intent)]
        if self.hold is not None:
            paths += [self.lock(name) for name in _locks(self.hold)]
        return [*paths, *([self._counter()] if self.last else [])]

    def second_look(self, known: Known) -> list[str]:
        """List the documents that hold unique values which change."""
        self._guards = {}
        for intent in self.intents:
            old, new = _rows(intent, known.get(self.at(intent)))
            for column in sorted(intent.table.unique):
                before, after = (matching.identity(row.get(column)) if row else None for row in (old, new))
                if before == after:
                    continue
                if before is not None:
                    self._guards.setdefault(
                        self.path(GUARDS, guard(intent.table, column, before)), (intent, column, False)
                    )
                if after is not None:
                    self._take(self.path(GUARDS, guard(intent.table, column, after)), intent, column)
        return [*self._guards]

    def compose(self, known: Known, mark: str) -> None:
        """Say everything.

        Raises:
            Refused: A document contradicts a write.
            Contended: A lock is somebody else's.
        """
        self.writes = []
        for intent in self.intents:
            self._write(intent, known.get(self.at(intent)), mark)
        for path, (intent, column, taken) in sorted(self._guards.items()):
            self._guard(path, intent, column, known.get(path), mark, taken=taken)
        if self.hold is not None:
            self._hold(self.hold, known, mark)
        if self.last is not None:
            self._number(self.last, known.get(self._counter()), mark)

    def at(self, intent: Intent) -> str:
        """Say where a document is."""
        return self.path(intent.table.name, values.name(intent.key))

    def _write(self, intent: Intent, old: Json | None, mark: str) -> None:
        if intent.insert and old is not None:
            raise Refused(intent.table.name, "key")
        if intent.version and (old is None or old["updateTime"] != intent.version):
            raise Refused(intent.table.name, "version")
        if not intent.whole and old is None:
            return
        demanded = _as_it_was(old) if _needs_old(intent) else {}
        if intent.row is None:
            if old is not None or not _needs_old(intent):
                self.writes.append({"delete": self.at(intent), **demanded})
            return
        changed = {"update": {"name": self.at(intent), "fields": values.fields(intent.row, mark)}}
        mask = {} if intent.whole else {"updateMask": {"fieldPaths": [*intent.row, values.MARK]}}
        self.writes.append({**changed, **mask, **demanded})

    def _take(self, path: str, intent: Intent, column: str) -> None:
        before = self._guards.get(path)
        if before is not None and before[2] and before[0] is not intent:
            raise Refused(intent.table.name, "unique", column)
        self._guards[path] = (intent, column, True)

    def _guard(self, path: str, intent: Intent, column: str, held: Json | None, mark: str, *, taken: bool) -> None:
        mine = values.name(intent.key)
        holder = held["fields"]["holder"]["stringValue"] if held else ""
        if not taken:
            if holder == mine:
                self.writes.append({"delete": path, **_as_it_was(held)})
            return
        freed = {values.name(one.key) for one in self.intents if one.table.name == intent.table.name}
        if holder not in ("", mine) and holder not in freed:
            raise Refused(intent.table.name, "unique", column)
        row = {"holder": mine}
        self.writes.append({"update": {"name": path, "fields": values.fields(row, mark)}, **_as_it_was(held)})

    def _hold(self, hold: Hold, known: Known, mark: str) -> None:
        for name in _locks(hold):
            path = self.lock(name)
            held = known.get(path)
            if held is None or held["fields"]["owner"]["stringValue"] != hold.owner:
                raise Contended("a lock was lost before the commit", hint="try the whole transaction again")
            if name in hold.freed:
                self.writes.append({"delete": path, **_as_it_was(held)})
            else:
                used = {"name": path, "fields": values.fields({}, mark)}
                self.writes.append({"update": used, "updateMask": {"fieldPaths": [values.MARK]}, **_as_it_was(held)})

    def _number(self, last: Numbered, counter: Json | None, mark: str) -> None:
        """Take numbers, so that of two commits the later one has the larger."""
        had = int(counter["fields"]["last"]["integerValue"]) if counter else 0
        row = {"last": had + last.count}
        self.writes.append(
            {"update": {"name": self._counter(), "fields": values.fields(row, mark)}, **_as_it_was(counter)}
        )
        for write in last.make(had + 1):
            assert write.row is not None, "what is numbered is written"  # noqa: S101
            path = self.path(write.table.name, values.name(write.key))
            self.writes.append({"update": {"name": path, "fields": values.fields(write.row, mark)}, **_as_it_was(None)})

    def _counter(self) -> str:
        assert self.last is not None, "it is asked for numbers"  # noqa: S101
        return self.path(COUNTERS, values.name(self.last.counter))


def _needs_old(intent: Intent) -> bool:
    return intent.insert or bool(intent.version) or not intent.whole or bool(intent.table.unique)


def _as_it_was(old: Json | None) -> Json:
    """Demand that a document is as it was seen."""
    return {"currentDocument": {"exists": False} if old is None else {"updateTime": old["updateTime"]}}


def _locks(hold: Hold) -> tuple[str, ...]:
    return (*hold.freed, hold.kept) if hold.kept else hold.freed


def _rows(intent: Intent, old: Json | None) -> tuple[Row | None, Row | None]:
    """Return a document's columns before and after."""
    before = values.document(intent.table, old).row if old else None
    if intent.row is None or intent.whole:
        return before, intent.row
    return before, {**before, **intent.row} if before is not None else None
