"""Note events in the journal, then give each its place.

Noting happens in the transaction that handles the event and waits for nobody but who handles the same key. So the order
of the journal is decided afterwards, by one member at a time, among what is committed: by the state of the rows, never
above a place seen before, because transactions do not commit in the order in which they began.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from shoal.drivers.base import Query, Session, Store
from shoal.errors import Conflict
from shoal.runtime.projections.tables import COUNTS, HEAD, JOURNAL, KEYS, PARKED, Count, Entry, Key, read, write

Noted = Literal["noted", "repeated", "parked"]

ROUND = 500
"""Events that get their places in one transaction."""


async def note(session: Session, entry: Entry, *, partial: bool = False) -> Noted:
    """Note an event, unless its number says that its sequence has it already.

    An event whose predecessors are missing is parked: it keeps nobody waiting, and follows as soon as they are there.

    Args:
        session: The transaction that handles the event.
        entry: The event; its ordinal is found here.
        partial: Whether a key may begin at any number.

    Raises:
        Conflict: By the commit, where another transaction noted the first event of the same key meanwhile.
    """
    if not entry.key:
        _insert(session, entry, 1)
        return "noted"
    row = await session.get(KEYS.table, entry.key, lock=True)
    keep = session.put if row is not None else session.insert  # nobody holds a row that is not there
    key = read(row, Key) if row is not None else Key(key=entry.key)
    if entry.number is not None:
        begins = partial and row is None
        if entry.number <= key.number or await _is_parked(session, key, entry.number):
            return "repeated"
        if entry.number > key.number + 1 and not begins:
            _insert(session, entry, PARKED)
            keep(KEYS.table, write(msgspec.structs.replace(key, parked=key.parked + 1)))
            return "parked"
    key = _follow(session, key, entry)
    keep(KEYS.table, write(await _release(session, key)))
    return "noted"


async def order(store: Store, limit: int = ROUND) -> int:
    """Give places to some of what has none yet, in the order of each key; return how many got one."""
    if not await _waiting(store):
        return 0
    async with store.session() as session:
        head = read(await _locked(session, HEAD), Count)
        found = [read(row, Entry) for row in await session.find(JOURNAL.table, _unplaced(limit))]
        for position, entry in enumerate(found, start=head.count + 1):
            session.put(JOURNAL.table, write(msgspec.structs.replace(entry, position=position)))
        await _count(session, found)
        latest = _latest([head.time, *(entry.time for entry in found)])
        session.put(COUNTS.table, write(Count(type=HEAD, count=head.count + len(found), time=latest)))
    return len(found)


async def prepare(store: Store) -> None:
    """Make the row that whoever orders the journal holds."""
    async with store.session() as session:
        if await session.get(COUNTS.table, HEAD) is not None:
            return
    try:
        async with store.session() as session:
            session.insert(COUNTS.table, write(Count(type=HEAD)))
    except Conflict:  # another replica was quicker
        return


async def entries(session: Session, above: int, upto: int | None, types: Sequence[str], limit: int) -> list[Entry]:
    """Read the journal in order, from the first place above `above` to `upto`."""
    query = Query(
        where={"type": tuple(types)},
        above={"position": above},
        at_most={} if upto is None else {"position": upto},
        order=("position",),
        limit=limit,
    )
    return [read(row, Entry) for row in await session.find(JOURNAL.table, query)]


async def counts(session: Session) -> Mapping[str, Count]:
    """Read how many events of each type have their places; `HEAD` stands for all."""
    rows = await session.find(COUNTS.table, Query())
    return {count.type: count for count in (read(row, Count) for row in rows)}


async def _waiting(store: Store) -> bool:
    """Look without holding anything."""
    async with store.session() as session:
        return bool(await session.find(JOURNAL.table, _unplaced(1)))


def _unplaced(limit: int) -> Query:
    return Query(where={"position": None}, above={"ordinal": PARKED}, order=("ordinal",), limit=limit)


def _insert(session: Session, entry: Entry, ordinal: int) -> None:
    session.insert(JOURNAL.table, write(msgspec.structs.replace(entry, ordinal=ordinal)))


def _follow(session: Session, key: Key, entry: Entry) -> Key:
    """Let an event follow as the next one of its key."""
    _insert(session, entry, key.ordinal + 1)
    number = key.number if entry.number is None else entry.number
    return msgspec.structs.replace(key, ordinal=key.ordinal + 1, number=number)


async def _is_parked(session: Session, key: Key, number: int) -> bool:
    return bool(key.parked and await session.count(JOURNAL.table, {"key": key.key, "number": number}))


async def _release(session: Session, key: Key) -> Key:
    """Let those that waited for the last number follow."""
    if not key.parked:
        return key
    query = Query(where={"key": key.key, "ordinal": PARKED}, order=("number",))
    for row in await session.find(JOURNAL.table, query):
        entry = read(row, Entry)
        if entry.number != key.number + 1:
            break
        ordinal = key.ordinal + 1
        session.put(JOURNAL.table, write(msgspec.structs.replace(entry, ordinal=ordinal)))
        key = msgspec.structs.replace(key, ordinal=ordinal, number=entry.number, parked=key.parked - 1)
    return key


async def _locked(session: Session, type_: str) -> Mapping[str, object]:
    row = await session.get(COUNTS.table, type_, lock=True)
    return row if row is not None else write(Count(type=type_))


async def _count(session: Session, found: Sequence[Entry]) -> None:
    """Count events by type; the row of the head, which is held, keeps others away."""
    known = await counts(session)
    for type_, more in Counter(entry.type for entry in found).items():
        before = known.get(type_, Count(type=type_))
        latest = _latest([before.time, *(entry.time for entry in found if entry.type == type_)])
        session.put(COUNTS.table, write(Count(type=type_, count=before.count + more, time=latest)))


def _latest(times: Sequence[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
