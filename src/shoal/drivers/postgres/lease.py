"""The exclusive right to empty an outbox: an advisory lock, and the connection that holds it."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from shoal.drivers.base import Message, Pending, Row
from shoal.drivers.postgres.client import Link

SETTINGS = {"application_name": "shoal relay", "idle_session_timeout": "30s"}
"""A holder that is frozen, and so asks nothing for a while, loses the right."""

_PENDING = """
select position, id, subject, body, headers::text as headers
from shoal.outbox where sent_at is null order by position limit $1
"""
# By the state of each row, never above a position seen before: positions are given out before they are committed.

_SENT = "update shoal.outbox set sent_at = clock_timestamp() where sent_at is null and position = any($1::bigint[])"

_headers = msgspec.json.Decoder(dict[str, str])


class PostgresLease:
    """A `base.OutboxLease`. It asks over the connection that holds the lock, so losing one loses the other."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def pending(self, limit: int) -> Sequence[Pending]:
        """Read the oldest unsent rows."""
        return [_pending(row) for row in await self._link.fetch(_PENDING, [limit])]

    async def sent(self, positions: Sequence[int]) -> None:
        """Mark rows as sent."""
        await self._link.execute(_SENT, [positions])


def _pending(row: Row) -> Pending:
    fields = cast("Mapping[str, str]", row)
    message = Message(
        id=fields["id"], subject=fields["subject"], body=cast("bytes", row["body"]),
        headers=_headers.decode(fields["headers"]) if fields["headers"] != "{}" else {},
    )  # fmt: skip
    return Pending(position=cast("int", row["position"]), message=message)
