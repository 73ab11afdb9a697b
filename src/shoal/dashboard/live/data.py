"""What a service keeps: its tables, migrations, connections and slow statements; read-only questions; a fresh start."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from shoal import model
from shoal.dashboard.live import readings
from shoal.dashboard.live.running import Live
from shoal.drivers.base import Row, Session
from shoal.errors import EngineError, ShoalError
from shoal.local import control
from shoal.operating.engines import Engines

MOST_ROWS = 500
SECONDS = 5.0
"""Longest that a question may take."""

_LONGEST_TEXT = 4000
_SELECTS = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:\(|(?:select|with|values|table)\b)", re.IGNORECASE | re.DOTALL
)
_SQL = frozenset({"postgres", "documents", "postgres-search"})

_TABLES = """
select n.nspname as schema, c.relname as name, coalesce(s.n_live_tup, 0) as rows,
    pg_total_relation_size(c.oid) as bytes, coalesce(s.seq_scan, 0) as scans, coalesce(s.idx_scan, 0) as lookups
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_stat_user_tables s on s.relid = c.oid
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname = 'shoal', n.nspname, c.relname
"""
_MIGRATIONS = "select number, name, checksum, applied_at from shoal.migrations order by number"
_ACTIVITY = """
select pid, state, wait_event_type as waits_for, left(query, 1000) as query,
    extract(epoch from clock_timestamp() - query_start)::float8 * 1000 as ms
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
order by query_start
"""
_HITS = "select blks_hit as hit, blks_read as read, numbackends as connections, deadlocks from pg_stat_database \
where datname = current_database()"


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SQL that is to change nothing."""

    sql: str
    rows: int = MOST_ROWS


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, as texts and numbers."""

    columns: tuple[str, ...]
    rows: list[list[Any]]
    more: bool
    """Whether there were more than were asked for."""
    ms: float


def keeping(system: model.System) -> list[dict[str, Any]]:
    """List the services that keep anything, and in which engines."""
    return [{"service": service.name, "kept": kept} for service in system.services if (kept := _kept(service))]


async def shown(live: Live, service: str) -> dict[str, Any]:
    """Return what a service keeps and how its store is; each part that cannot be read says why."""
    declared = (await live.system()).service(service)
    found: dict[str, Any] = {"service": service, "kept": _kept(declared), "live": False, "sql": False, "problem": ""}
    run = live.run()
    if run is None:
        return found
    samples = await readings.read(run, service)
    found |= {"live": True, "gauges": _gauges(samples), "pools": _pools(samples), "caches": caches(samples)}
    running = await live.engines()
    planned = running.planned(service).store
    if planned is None or planned.engine not in _SQL:
        return found
    try:
        return found | {"sql": True} | await _database(running, service)
    except EngineError as error:
        return found | {"problem": error.message}


async def asked(live: Live, service: str, question: Question) -> Answered:
    """Run a service's own SQL with that service's rights, in a transaction that can change nothing.

    Raises:
        DeclarationError: There is no such service, or it has no store.
        ShoalError: Its engine knows no SQL, or the statement fails or takes too long.
    """
    running = await live.engines()
    _require_sql(running, service)
    most = max(1, min(question.rows, MOST_ROWS))
    text = question.sql.strip().rstrip(";").strip()
    if not text:
        raise ShoalError("there is no statement", hint="write one, such as: select * from orders")
    limited = f"select * from (\n{text}\n) as asked limit {most + 1}" if _SELECTS.match(text) else text  # noqa: S608
    began = asyncio.get_running_loop().time()
    try:
        async with _reading(running, service) as session:
            rows = await session.fetch(limited)
    except EngineError as error:
        raise ShoalError(
            f"{service} does not answer that: {error.message}",
            hint=f"it may read what {service} keeps, change nothing and take {SECONDS:g} s",
        ) from error
    ms = (asyncio.get_running_loop().time() - began) * 1000
    columns = tuple(rows[0]) if rows else ()
    values = [[_value(row[name]) for name in columns] for row in rows[:most]]
    return Answered(columns=columns, rows=values, more=len(rows) > most, ms=ms)


async def reset(live: Live, service: str) -> dict[str, Any]:
    """Take away everything that a service's own database holds, and start the service anew: it migrates and seeds.

    What it had heard does not come again: its read models begin empty.

    Raises:
        ShoalError: Its store is none that can be emptied so, or all services run in one process; nothing was changed.
    """
    running = await live.engines()
    _require_sql(running, service)
    if not any(p.kind == "service" and p.service == service for p in live.running().processes):
        raise ShoalError(
            f"{service} has no process of its own that could begin anew",
            hint="begin with empty engines instead: shoal stop && shoal run --fresh",
        )
    async with running.store(service) as store, store.session() as session:
        names = await session.fetch(
            "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
        )
        for row in names:
            quoted = str(row["nspname"]).replace('"', '""')
            await session.execute(f'drop schema "{quoted}" cascade')
        await session.execute("create schema public")
    seconds = await control.ask(control.socket_of(live.running().runtime), "service.reload", service=service)
    return {"service": service, "seconds": seconds}


def _kept(service: model.Service) -> dict[str, str]:
    kinds = ("store", "cache", "warehouse", "search", "objects")
    return {name: getattr(service, name).engine for name in kinds if getattr(service, name) is not None}


def require_confirmed(service: str, confirmed: str) -> None:
    """Refuse to empty a store whose name was not said once more."""
    if service != confirmed:
        raise ShoalError(f"{service} was not emptied: its name was not confirmed", hint=f"confirm with {service!r}")


def _require_sql(running: Engines, service: str) -> None:
    planned = running.planned(service).store
    engine = planned.engine if planned is not None else "no store"
    if engine not in _SQL:
        raise ShoalError(
            f"{service} keeps its data in {engine}, which knows no SQL",
            hint="begin with empty engines instead: shoal stop && shoal run --fresh",
        )


@asynccontextmanager
async def _reading(running: Engines, service: str) -> AsyncIterator[Session]:
    async with running.store(service) as store, store.session() as session:
        await session.execute("set transaction read only")
        await session.execute(f"set local statement_timeout = '{SECONDS:g}s'")
        yield session


async def _database(running: Engines, service: str) -> dict[str, Any]:
    async with _reading(running, service) as session:
        tables = _plain(await session.fetch(_TABLES))
        own = {f"{table['schema']}.{table['name']}" for table in tables}
        migrations = _plain(await session.fetch(_MIGRATIONS)) if "shoal.migrations" in own else []
        activity = _plain(await session.fetch(_ACTIVITY))
        hits = _plain(await session.fetch(_HITS))
    return {"tables": tables, "migrations": migrations, "activity": activity, "database": hits[0] if hits else None}


def _plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in rows]


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()[:_LONGEST_TEXT]
    text = value if isinstance(value, str) else _text(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _text(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode().strip('"')
    except (TypeError, ValueError):
        return str(value)


def _gauges(samples: Sequence[readings.Sample]) -> Mapping[str, float]:
    """Add up what replicas say of stores, caches and outboxes."""
    wanted = [
        s for s in samples if s.name.startswith(("shoal_outbox_", "shoal_store_", "shoal_cache_")) and not s.labels
    ]
    return {name: readings.total(wanted, name) or 0.0 for name in dict.fromkeys(s.name for s in wanted)}


def caches(samples: Sequence[readings.Sample]) -> list[dict[str, Any]]:
    """Count how calls of kept functions ended, over all replicas: hits, misses and what stood in for them."""
    found: dict[str, dict[str, int]] = {}
    for sample in samples:
        if sample.name == "shoal_cached_duration_seconds_count":
            outcomes = found.setdefault(sample.labels.get("shoal_function", ""), {})
            outcome = sample.labels.get("shoal_outcome", "")
            outcomes[outcome] = outcomes.get(outcome, 0) + int(sample.value)
    return [{"function": name, "outcomes": outcomes} for name, outcomes in sorted(found.items())]


def _pools(samples: Sequence[readings.Sample]) -> list[dict[str, Any]]:
    wanted = [s for s in samples if s.name.startswith("db_client_connection_")]
    return [{"replica": s.replica, "name": s.name, "labels": s.labels, "value": s.value} for s in wanted]
