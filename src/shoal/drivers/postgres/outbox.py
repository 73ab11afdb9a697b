"""The outbox: what the one that may empty it asks, over the connection that holds this right."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import msgspec

from shoal.drivers.base import Announced, Backlog, Message, Pending, Row, Sent
from shoal.drivers.postgres import schema
from shoal.drivers.postgres.client import COMMAND_SECONDS, Link
from shoal.errors import Unavailable

SETTINGS = {
    "application_name": "shoal relay",
    "enable_mergejoin": "off",
    "enable_nestloop": "off",
    "enable_seqscan": "off",
    "enable_sort": "off",
    "idle_session_timeout": "10s",
    "statement_timeout": "600s",
}
"""A holder that is frozen, and so asks nothing for a while, loses the right. It always looks by index: statistics of a
table that was empty a moment ago suggest otherwise."""

_LONG = 600.0
"""Seconds for what looks at every row: it happens when a broker has lost messages."""

COUNTED = 10_000
"""Waiting rows that are counted one by one. The relay never looks further than that, so behind them all rows wait."""

_WAITING = "sequence is null and refused is null"

_PENDING = f"""
select position, id, subject, key, body, headers::text as headers
from shoal.outbox
where {_WAITING} and key <> all(array(select key from shoal.outbox where refused is not null and key <> ''))
and position <> all($2::bigint[])
order by position limit $1
"""  # noqa: S608
# By the state of each row, never above a position seen before: positions are given out before they are committed.

_SENT = f"""
with done as (
    update shoal.outbox o set sequence = s.place from unnest($1::bigint[], $2::bigint[]) as s (row, place)
    where o.position = s.row and o.position = any($1::bigint[]) and {_WAITING}
)
update shoal.stream set highest = $3 where highest < $3
"""  # noqa: S608

_REFUSE = f"update shoal.outbox set refused = $2 where position = $1 and {_WAITING}"  # noqa: S608

_REPRIEVE = """
with r as (update shoal.outbox set refused = null where refused is not null returning 1) select count(*) as n from r
"""

_RIVALS = """
select count(*) as n from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2 and objsubid = 2
and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())
"""

_MEET = """
with known as (select made from shoal.stream where made <> '' and made <> $1),
noted as (
    update shoal.stream set made = $1, highest = case when made = '' then highest else 0 end where made <> $1
),
lost as (
    update shoal.outbox set sequence = null where sequence is not null and exists (select 1 from known) returning 1
)
select count(*) as n from lost
"""

_HIGHEST = "select highest as n from shoal.stream"

_FORGET = """
with lost as (update shoal.outbox set sequence = null where sequence > $1 returning 1),
back as (update shoal.stream set highest = $1 where highest > $1)
select count(*) as n from lost
"""

BACKLOG = f"select count, age, reach, latest, refused from shoal.backlog({COUNTED})"  # noqa: S608

ANNOUNCED = """
select position, id, subject, key, created_at, sequence, coalesce(refused, '') as refused
from shoal.outbox where position > $1 and position <= $3 order by position limit $2
"""

LATEST = "select last_value as n from shoal.outbox_position"

_headers = msgspec.json.Decoder(dict[str, str])


class PostgresOutbox:
    """A `base.OutboxLease`. It asks over the connection that holds the lock, so losing one loses the other."""

    def __init__(self, link: Link, tidy: Callable[[timedelta], Awaitable[None]]) -> None:
        self._link, self._tidy = link, tidy

    async def pending(self, limit: int, besides: Sequence[int] = ()) -> Sequence[Pending]:
        """Read the oldest waiting rows."""
        return [_pending(row) for row in await self._link.fetch(_PENDING, [limit, besides])]

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows as sent."""
        positions, sequences = [row.position for row in rows], [row.sequence for row in rows]
        await self._link.execute(_SENT, [positions, sequences, max(sequences, default=0)])

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside."""
        await self._link.execute(_REFUSE, [position, reason])

    async def reprieve(self) -> int:
        """Let refused rows wait again."""
        return await self._number(_REPRIEVE)

    async def meet(self, made: str) -> int:
        """Compare with what was noted, and let rows wait again."""
        return await self._number(_MEET, made, seconds=_LONG)

    async def highest(self) -> int:
        """Look for the highest sequence."""
        return await self._number(_HIGHEST)

    async def forget(self, above: int) -> int:
        """Let rows wait again."""
        return await self._number(_FORGET, above, seconds=_LONG)

    async def rivals(self) -> bool:
        """Look for others who wait for the lock."""
        return await self._number(_RIVALS, *schema.STANDING_BY) > 0

    async def tidy(self, window: timedelta) -> None:
        """Tidy over another connection."""
        if self._link.broken:
            raise Unavailable("the right to empty the outbox was lost", hint="ask for it again")
        await self._tidy(window)

    async def _number(self, sql: str, *args: object, seconds: float = COMMAND_SECONDS) -> int:
        return cast("int", (await self._link.fetch(sql, args, seconds=seconds))[0]["n"])


def _pending(row: Row) -> Pending:
    fields = cast("Mapping[str, str]", row)
    headers = fields["headers"]
    message = Message(
        id=fields["id"], subject=fields["subject"], key=fields["key"], body=cast("bytes", row["body"]),
        headers=_headers.decode(headers) if headers else {},
    )  # fmt: skip
    return Pending(position=cast("int", row["position"]), message=message)


def announced(row: Row) -> Announced:
    """Read a row of `ANNOUNCED`."""
    fields = cast("Mapping[str, str]", row)
    return Announced(
        position=cast("int", row["position"]), id=fields["id"], subject=fields["subject"], key=fields["key"],
        at=cast("datetime", row["created_at"]), sequence=cast("int | None", row["sequence"]), refused=fields["refused"],
    )  # fmt: skip


def backlog(row: Row) -> Backlog:
    """Read the row of `BACKLOG`: what is behind the counted rows is as many as there are positions."""
    fields = cast("Mapping[str, int]", row)
    count = fields["count"] if fields["count"] < COUNTED else COUNTED + max(0, fields["latest"] - fields["reach"])
    return Backlog(count=count, age=max(0.0, cast("float", row["age"])), refused=fields["refused"])
