"""Make room for what comes, and let go of what is old: whole parts, or a few rows at a time, and never for long."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from shoal.drivers.postgres import partitions, schema
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.partitions import Part
from shoal.errors import Conflict, EngineError, TimedOut, Unavailable

SETTINGS = {"application_name": "shoal tidy", "lock_timeout": "100ms", "statement_timeout": "60s"}
"""Whoever writes waits for us no longer than that; then we let them go first and try again."""

SLACK = timedelta(hours=1)
"""Added to the window, for services judge the age of an event by clocks of their own."""

MOST_MOVED = 10_000
"""Unsent rows that are moved out of an old part; where there are more, the part stays until they are sent."""

STEP = 1_000
"""Rows deleted at a time, where whole parts cannot be let go of."""

_TRIES = 6
PARTED = ("outbox", "inbox")
"""Tables in parts by time."""

_UNSENT = "select count(*) as n from (select 1 from shoal.{part} where sequence is null limit $1) as unsent"

_LEAVE = """
lock table only shoal.{table} in access exclusive mode;
alter table shoal.{table} detach partition shoal.{part};
{rescue}
drop table shoal.{part}
"""

_RESCUE = """
insert into shoal.outbox (position, created_at, id, subject, key, body, headers, refused)
select position, created_at, id, subject, key, body, headers, refused from shoal.{part} where sequence is null;
"""
"""What is not sent goes to the default part, for nothing else covers its time any more."""

_DELETE = """
with gone as (
    delete from shoal.{table} where ctid = any(array(select ctid from shoal.{table} where {old} limit $2)) returning 1
) select count(*) as n from gone
"""

_REMNANTS = (
    ("outbox_rest", "created_at < $1 and sequence is not null"),
    ("inbox_rest", "at < $1"),
    ("receipts", "at < $1"),
)

_log = logging.getLogger("shoal.postgres")


async def tidy(link: Link, window: timedelta, width: timedelta) -> None:
    """Do all of it, unless another process is at it."""
    if not (await link.fetch(schema.TRY_LOCK, schema.TIDYING))[0]["mine"]:
        return
    now = await partitions.now(link)
    for table in PARTED:
        await extend(link, table, now, width)
    horizon = now - window - SLACK
    for table in PARTED:
        for part in await partitions.parts(link, table):
            if part.end <= horizon:
                await _leave(link, table, part)
    for table, old in _REMNANTS:
        await _delete(link, table, old, horizon)


async def extend(link: Link, table: str, now: datetime, width: timedelta) -> None:
    """Make the parts that are lacking; one that cannot be made now is left for later."""
    present: Sequence[Part] = await partitions.parts(link, table)
    for part in partitions.fresh(table, present, now, width):
        await _make(link, table, part)


async def _make(link: Link, table: str, part: tuple[str, str, str]) -> None:
    try:
        await atomically(link, partitions.make(table, *part))
    except Conflict:  # rows of its time came before it
        _log.warning("shoal.%s gets no part %s: the default part has rows of its time", table, part[0])
    except (TimedOut, Unavailable) as error:
        _log.warning("shoal.%s gets no part %s for now: %s", table, part[0], error.message)


async def _leave(link: Link, table: str, part: Part) -> None:
    """Let go of a part, when those who write give us the moment that it takes."""
    rescue = ""
    if table == "outbox":
        (row,) = await link.fetch(_UNSENT.format(part=part.name), [MOST_MOVED + 1])
        if cast("int", row["n"]) > MOST_MOVED:
            return
        rescue = _RESCUE.format(part=part.name)
    script = _LEAVE.format(table=table, part=part.name, rescue=rescue)
    for attempt in range(_TRIES):
        try:
            await atomically(link, script)
        except (TimedOut, Unavailable):
            if link.broken:
                raise
            await asyncio.sleep(random.uniform(0.5, 1.5) * 2**attempt / 10)  # noqa: S311 - spreads load
        else:
            return
    _log.warning("part %s of shoal.%s stays for now: those who write left no gap", part.name, table)


async def _delete(link: Link, table: str, old: str, horizon: datetime) -> None:
    statement = _DELETE.format(table=table, old=old)
    while True:
        if cast("int", (await link.fetch(statement, [horizon, STEP]))[0]["n"]) < STEP:
            return
        await asyncio.sleep(0.01)  # others come first


async def atomically(link: Link, script: str) -> None:
    """Run statements in one transaction."""
    try:
        await link.execute("begin")
        await link.script(script)
        await link.execute("commit")
    except EngineError:
        if link.in_transaction:
            await link.execute("rollback")
        raise
