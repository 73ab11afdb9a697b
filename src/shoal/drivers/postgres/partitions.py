"""Parts of a table by time: made ahead, let go of whole.

The parts of a table `t` are `t_first` (everything before the first boundary), `t_<start>` and so on, and `t_rest`, the
default, where rows go for whose time nothing was made.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from shoal.drivers.postgres.client import Link

WIDTH = timedelta(days=1)
"""Time that one part covers."""

AHEAD = 2
"""Widths for which parts are made ahead."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_PARTS = """
select c.relname::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds from pg_inherits i
join pg_class c on c.oid = i.inhrelid
where i.inhparent = $1::text::regclass
"""

_BOUNDS = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'([^']+)')\) TO \('([^']+)'\)")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part but the default."""

    name: str
    end: datetime
    """What it holds is earlier."""


async def parts(link: Link, table: str) -> Sequence[Part]:
    """List the parts of a table, the oldest first."""
    found = [
        Part(name=str(row["name"]), end=_time(match[2]))
        for row in await link.fetch(_PARTS, [f"shoal.{table}"])
        if (match := _BOUNDS.match(str(row["bounds"])))
    ]
    return sorted(found, key=lambda part: part.end)


async def now(link: Link) -> datetime:
    """Ask the database for its time, which is the one that counts."""
    (row,) = await link.fetch("select clock_timestamp() as now")
    found = row["now"]
    assert isinstance(found, datetime)  # noqa: S101 - for the type checker
    return found


def boundary(after: datetime, width: timedelta) -> datetime:
    """Return the first boundary after a time: all processes choose the same ones."""
    return after + width - (after - _EPOCH) % width


def fresh(table: str, present: Sequence[Part], now: datetime, width: timedelta) -> Iterator[tuple[str, str, str]]:
    """Yield name and bounds of the parts to make, so that times up to `AHEAD` widths from now have theirs."""
    if not present:
        yield f"{table}_first", "minvalue", f"'{boundary(now, width).isoformat()}'"
    start = max(present[-1].end if present else boundary(now, width), boundary(now, width) - width)
    while start < now + AHEAD * width:
        end = boundary(start, width)
        yield f"{table}_{start:%Y%m%d%H%M}", f"'{start.isoformat()}'", f"'{end.isoformat()}'"
        start = end


def attach(table: str, name: str, start: str, end: str) -> str:
    """Write the statement that makes a table a part; those who write to the other parts go on meanwhile."""
    return f"alter table shoal.{table} attach partition shoal.{name} for values from ({start}) to ({end})"


def make(table: str, name: str, start: str, end: str) -> str:
    """Write the statements that make a part."""
    like = f"create table shoal.{name} (like shoal.{table} including defaults including storage)"
    return f"{like};\n{attach(table, name, start, end)}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
