"""The outbox: what the one that may empty it asks, over the connection that holds this right."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import msgspec

from shoal.drivers.base import Announced, Backlog, Message, Pending, Row, Sent
from shoal.drivers.postgres.client import Link

SETTINGS = {"application_name": "shoal relay", "idle_session_timeout": "30s"}
"""A holder that is frozen, and so asks nothing for a while, loses the right."""

_WAITING = "sequence is null and refused is null"

_PENDING = f"""
select position, id, subject, key, body, headers::text as headers
from shoal.outbox where {_WAITING} order by position limit $1
"""  # noqa: S608
# By the state of each row, never above a position seen before: positions are given out before they are committed.

_SENT = """
update shoal.outbox o set sequence = s.sequence, refused = null
from unnest($1::bigint[], $2::bigint[]) as s (position, sequence) where o.position = s.position and o.sequence is null
"""

_REFUSE = "update shoal.outbox set refused = $2 where position = $1 and sequence is null"

_REPRIEVE = """
with r as (update shoal.outbox set refused = null where refused is not null returning 1) select count(*) as n from r
"""

_HIGHEST = "select coalesce(max(sequence), 0) as highest from shoal.outbox"

_FORGET = """
with f as (update shoal.outbox set sequence = null where sequence > $1 returning 1) select count(*) as n from f
"""

BACKLOG = """
select count(*) filter (where refused is null) as count, count(*) filter (where refused is not null) as refused,
  coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (where refused is null)), 0)::float8 as age
from shoal.outbox where sequence is null
"""

ANNOUNCED = """
select position, id, subject, key, created_at, sequence, coalesce(refused, '') as refused
from shoal.outbox where position > $1 order by position limit $2
"""

_headers = msgspec.json.Decoder(dict[str, str])


class PostgresOutbox:
    """A `base.OutboxLease`. It asks over the connection that holds the lock, so losing one loses the other."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def pending(self, limit: int) -> Sequence[Pending]:
        """Read the oldest waiting rows."""
        return [_pending(row) for row in await self._link.fetch(_PENDING, [limit])]

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows as sent."""
        await self._link.execute(_SENT, [[row.position for row in rows], [row.sequence for row in rows]])

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside."""
        await self._link.execute(_REFUSE, [position, reason])

    async def reprieve(self) -> int:
        """Let refused rows wait again."""
        return await self._number(_REPRIEVE)

    async def highest(self) -> int:
        """Look for the highest sequence."""
        return cast("int", (await self._link.fetch(_HIGHEST))[0]["highest"])

    async def forget(self, above: int) -> int:
        """Let rows wait again."""
        return await self._number(_FORGET, above)

    async def tidy(self, window: timedelta) -> None:
        """Make room."""

    async def _number(self, sql: str, *args: object) -> int:
        return cast("int", (await self._link.fetch(sql, args))[0]["n"])


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
    """Read the row of `BACKLOG`."""
    age = max(0.0, cast("float", row["age"]))
    return Backlog(count=cast("int", row["count"]), age=age, refused=cast("int", row["refused"]))
