"""The outbox of a store of documents, as the one that may empty it sees it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shoal.drivers.base import Backlog, Pending, Query, Row, Sent
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Engine, Write
from shoal.drivers.base.documents.leases import Leases
from shoal.drivers.base.leasing import HeldLease
from shoal.errors import Unavailable

_STREAM = "stream"
_RUN_OUT = 3600.0
"""Seconds after which a lock that ran out is let go of."""


class DocumentOutbox:
    """A `base.OutboxLease`."""

    def __init__(self, engine: Engine, leases: Leases, lease: HeldLease, now: Callable[[], datetime]) -> None:
        self._engine, self._leases, self._lease, self._now = engine, leases, lease, now
        self._hold = leases.holding(lease.name)

    async def pending(self, limit: int, besides: Sequence[int] = ()) -> Sequence[Pending]:
        """Read the oldest waiting rows, but for those behind a refused one of their key."""
        self._require()
        stuck, away = await _stuck(self._engine), frozenset(besides)
        size = limit + len(away)
        while True:  # from the first one each time: of two looks, the second may know what the first could not
            query = Query(where={"waits": True}, limit=size)
            rows = [one.row for one in await self._engine.search(tables.OUTBOX, query)]
            waiting = [tables.pending(row) for row in rows if row["key"] not in stuck]
            found = [one for one in waiting if one.position not in away]
            if len(found) >= limit or len(rows) < size:
                return found[:limit]
            size *= 2

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows as sent."""
        self._require()
        places = {row.position: row.sequence for row in rows}
        known = await self._engine.read(tables.OUTBOX, [*places])
        waiting = [one for one in known if one.row["waits"]]
        writes = [_change(one.key, waits=False, sequence=places[_number(one.key)]) for one in waiting]
        if writes:
            highest = max(await self.highest(), *(_number(write.row and write.row["sequence"]) for write in writes))
            stream = await self._stream(highest=highest)
            await self._commit([stream, *writes])  # it first, so that it is never behind a row that is sent

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside."""
        self._require()
        known = await self._engine.read(tables.OUTBOX, [position])
        if known and known[0].row["waits"]:
            await self._commit([_change(position, waits=False, refused=reason or "refused")])

    async def reprieve(self) -> int:
        """Let refused rows wait again."""
        self._require()
        refused = await _refused(self._engine)
        await self._commit([_change(row["position"], waits=True, refused=None) for row in refused])
        return len(refused)

    async def meet(self, made: str) -> int:
        """Compare with what was noted, and let rows wait again."""
        self._require()
        known = str((await self._met()).get("made") or "")
        gone = await self.forget(-1) if known not in ("", made) else 0
        if known != made:  # last, so that who dies before it is followed by one who forgets the rest
            await self._commit([await self._stream(made=made)])
        return gone

    async def highest(self) -> int:
        """Look for the highest sequence."""
        self._require()
        return _number((await self._met()).get("highest"))

    async def forget(self, above: int) -> int:
        """Let rows wait again, some at a time: whoever goes on where this ends finds the rest."""
        self._require()
        gone, some = 0, Query(above={"sequence": above}, limit=self._engine.step)
        while found := await self._engine.search(tables.OUTBOX, some):
            await self._commit([_change(one.key, waits=True, sequence=None) for one in found])
            gone += len(found)
        highest = min(await self.highest(), max(0, above))
        await self._commit([await self._stream(highest=highest)])
        return gone

    async def rivals(self) -> bool:
        """Look for others in line."""
        self._require()
        return await self._leases.awaited(self._lease.name)

    async def tidy(self, window: timedelta) -> None:
        """Let go of what is old."""
        self._require()
        horizon = {"at": self._now() - window}
        done = Query(where={"waits": False, "refused": None}, at_most=horizon)
        await self._engine.remove(tables.OUTBOX, done)
        await self._engine.remove(tables.INBOX, Query(at_most=horizon))
        await self._engine.remove(tables.RECEIPTS, Query(where={"lasting": False}, at_most=horizon))
        await self._engine.forget(_RUN_OUT)

    async def _met(self) -> Row:
        found = await self._engine.read(tables.STREAM, [_STREAM])
        return found[0].row if found else {}

    async def _stream(self, **changed: object) -> Write:
        row = {"name": _STREAM, **await self._met(), **changed}
        return Write(table=tables.STREAM, key=_STREAM, row=row)

    async def _commit(self, writes: Sequence[Write]) -> None:
        """Do as much at a time as the engine takes; whoever dies in between is followed by one who does the rest."""
        for first in range(0, len(writes), self._engine.step):
            await self._engine.commit(writes[first : first + self._engine.step], self._hold)

    def _require(self) -> None:
        if self._lease.lost.is_set():
            raise Unavailable("the right to empty the outbox was lost", hint="ask for it again")


async def backlog(engine: Engine, now: datetime) -> Backlog:
    """Measure what waits."""
    refused = await _refused(engine)
    stuck = sorted({str(row["key"]) for row in refused} - {""})
    behind = await engine.count(tables.OUTBOX, {"waits": True, "key": tuple(stuck)}) if stuck else 0
    count = await engine.count(tables.OUTBOX, {"waits": True}) - behind
    age = 0.0
    for one in await engine.search(tables.OUTBOX, Query(where={"waits": True}, limit=1)) if count else ():
        at = one.row["at"]
        age = (now - at).total_seconds() if isinstance(at, datetime) else 0.0
    return Backlog(count=count, age=max(0.0, age), refused=len(refused))


async def _refused(engine: Engine) -> list[Row]:
    return [one.row for one in await engine.search(tables.OUTBOX, Query(above={"refused": ""}))]


async def _stuck(engine: Engine) -> frozenset[str]:
    return frozenset(str(row["key"]) for row in await _refused(engine)) - {""}


def _change(key: object, **row: object) -> Write:
    return Write(table=tables.OUTBOX, key=key, row=row, how="change")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
