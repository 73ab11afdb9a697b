"""What a run has seen, as `shoal check --observed` compares it with what is declared."""

from collections.abc import Iterable, Mapping
from typing import Any

from shoal.check.observed import Observed, SeenCall, SeenEvent, SeenOperation, SeenSession
from shoal.dashboard.store.reading.cells import span_of
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.reading.edges import Edge, edges
from shoal.dashboard.store.reading.operations import operations
from shoal.dashboard.store.records import ERROR, KINDS

_SERVER, _CLIENT = KINDS.index("server"), KINDS.index("client")

Way = tuple[str, str, str]
"""Who asks, who is asked, and what the span of the caller is called."""


def seen(database: Database, name: str) -> Observed:
    """Sum up who asked, told and read whom.

    Counts are those of the roll-ups, which have every span. Which operation a call was for is known from the spans that
    are kept; where none is, the call is told by its method and path.

    Args:
        database: The file of a run.
        name: What the run is called: ``run 14``.
    """
    begin, end = span_of(database, None, None)
    ways = edges(database).items
    return Observed(
        run=name,
        seconds=float(end - begin),
        operations=tuple(_operations(database)),
        calls=tuple(_calls(database, [way for way in ways if way.kind == "call"])),
        events=tuple(_events([way for way in ways if way.kind == "event"])),
        sessions=tuple(_sessions(database)),
    )


def _told(key: str, span: str = "s") -> str:
    """Read an attribute; they are the first of what a span says besides."""
    return f"json_extract(CAST({span}.detail AS TEXT), '$[0].\"{key}\"')"


def _operations(database: Database) -> Iterable[SeenOperation]:
    ask = (
        f"SELECT DISTINCT r.service, o.name, {_told('shoal.operation')} FROM spans s "  # noqa: S608 - ours
        "JOIN operations o ON o.id = s.operation JOIN resources r ON r.id = s.resource "
        f"WHERE o.kind = {_SERVER} AND {_told('shoal.operation')} LIKE r.service || '.%'"
    )
    named = {(service, name): said.partition(".")[2] for service, name, said in database.ask(ask)}
    for one in operations(database).items:
        endpoint = named.get((one.service, one.name))
        if one.kind == "server" and endpoint:
            yield SeenOperation(
                service=one.service, endpoint=endpoint, count=one.count, errors=one.errors,
                p50=one.p50 / 1000, p99=one.p99 / 1000,
            )  # fmt: skip


def _calls(database: Database, ways: Iterable[Edge]) -> Iterable[SeenCall]:
    meant, most = _meant(database), _most(database)
    for way in ways:
        known = meant.get((way.source, way.target, way.name)) or {way.name: (way.count, way.errors)}
        for endpoint, (count, errors) in sorted(known.items()):
            alone, (times, within) = len(known) == 1, most.get((way.source, way.target, way.name), (1, ""))
            yield SeenCall(
                caller=way.source, callee=way.target, endpoint=endpoint,
                count=way.count if alone else count, errors=way.errors if alone else errors,
                p50=way.p50 / 1000, p99=way.p99 / 1000, most=times, within=within,
            )  # fmt: skip


def _meant(database: Database) -> Mapping[Way, dict[str, tuple[int, int]]]:
    """Say for which operations each way was taken: as the caller says, or as who answered says."""
    found: dict[Way, dict[str, tuple[int, int]]] = {}
    for rows in (database.ask(_BY_CALLERS), database.ask(_BY_CALLEES)):
        for caller, callee, name, said, count, errors in rows:
            endpoint = said.partition(".")[2] if said.startswith(f"{callee}.") else ""
            if endpoint:
                found.setdefault((caller, callee, name), {}).setdefault(endpoint, (count, errors))
    return found


_BY_CALLERS = (
    f"SELECT r.service, coalesce({_told('peer.service')}, {_told('shoal.upstream')}), o.name, "  # noqa: S608 - ours
    f"{_told('shoal.operation')}, count(*), sum(s.status = {ERROR}) FROM spans s "
    "JOIN operations o ON o.id = s.operation JOIN resources r ON r.id = s.resource "
    f"WHERE o.kind IN ({_CLIENT}, {_SERVER}) AND coalesce({_told('peer.service')}, {_told('shoal.upstream')}) "
    f"IS NOT NULL AND {_told('shoal.operation')} IS NOT NULL GROUP BY 1, 2, 3, 4"
)
_BY_CALLEES = (
    f"SELECT r.service, c.service, o.name, {_told('shoal.operation', 'a')}, count(*), sum(s.status = {ERROR}) "  # noqa: S608
    "FROM spans a JOIN operations oa ON oa.id = a.operation JOIN resources c ON c.id = a.resource "
    "JOIN spans s ON s.trace = a.trace AND s.span = a.parent JOIN operations o ON o.id = s.operation "
    f"JOIN resources r ON r.id = s.resource WHERE oa.kind = {_SERVER} AND o.kind = {_CLIENT} "
    f"AND {_told('shoal.operation', 'a')} IS NOT NULL GROUP BY 1, 2, 3, 4"
)


def _most(database: Database) -> Mapping[Way, tuple[int, str]]:
    """Say how often each call was made at most within one piece of work, and by which handler."""
    found: dict[Way, tuple[int, str]] = {}
    for service, peer, name, times, operation, handler, saga, step in database.ask(_BY_WORK):
        own = f"{saga}.{step}" if saga and step else handler
        within = operation or (f"{service}.{own}" if own else "")
        found[service, peer, name] = max(found.get((service, peer, name), (0, "")), (times, within))
    return found


_BY_WORK = (
    f"SELECT r.service, g.peer, o.name, max(g.times), {_told('shoal.operation', 'p')} AS named, "  # noqa: S608 - ours
    f"{_told('shoal.handler', 'p')} AS handler, {_told('shoal.saga.name', 'p')} AS saga, "
    f"{_told('shoal.saga.step', 'p')} AS step FROM ("
    f"SELECT s.resource AS resource, {_told('peer.service')} AS peer, s.operation AS operation, s.trace AS trace, "
    "s.parent AS parent, count(*) AS times FROM spans s JOIN operations o ON o.id = s.operation "
    f"WHERE o.kind = {_CLIENT} AND {_told('peer.service')} IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
    ") g JOIN operations o ON o.id = g.operation JOIN resources r ON r.id = g.resource "
    "LEFT JOIN spans p ON p.trace = g.trace AND p.span = g.parent GROUP BY 1, 2, 3, 5, 6, 7, 8"
)


def _events(ways: Iterable[Edge]) -> Iterable[SeenEvent]:
    sent, taken = [w for w in ways if w.target == w.name], [w for w in ways if w.source == w.name]
    senders: dict[str, list[str]] = {}
    for way in sent:
        senders.setdefault(way.name, []).append(way.source)
    for way in taken:  # what was announced outside of a request is in nobody's trace; its name says whose it is
        for producer in sorted(senders.get(way.name, [way.name.partition(".")[0]])):
            yield SeenEvent(event=way.name, producer=producer, consumer=way.target, count=way.count)
    heard = {way.name for way in taken}
    for way in sent:
        if way.name not in heard:
            yield SeenEvent(event=way.name, producer=way.source, count=way.count)


def _sessions(database: Database) -> Iterable[SeenSession]:
    """Yield who sent statements to which database, and which roles its server counted there."""
    ask = (
        f"SELECT r.service, {_told('db.namespace')}, o.name FROM spans s "  # noqa: S608 - ours
        "JOIN operations o ON o.id = s.operation JOIN resources r ON r.id = s.resource "
        f"WHERE o.kind = {_CLIENT} AND {_told('db.namespace')} IS NOT NULL GROUP BY 1, 2, 3"
    )
    tables: dict[tuple[str, str], set[str]] = {}
    for service, namespace, name in database.ask(ask):
        acts = (act.partition(" ")[2] for act in name.split(", "))
        tables.setdefault((service, namespace), set()).update(filter(None, acts))
    for (service, namespace), names in sorted(tables.items()):
        yield SeenSession(database=namespace, role="", service=service, tables=tuple(sorted(names)))
    services = {str(name) for (name,) in database.ask("SELECT DISTINCT service FROM resources")}
    for namespace, role, client, most in sorted(_clients(database)):
        who = client if client in services else ""
        yield SeenSession(database=namespace, role=role, service=who, most=int(most))


def _clients(database: Database) -> list[tuple[Any, ...]]:
    """List database, role, what the client calls itself, and how many sessions there were at most."""
    ask = (
        "SELECT json_extract(s.attributes, '$.\"db.namespace\"'), json_extract(s.attributes, '$.\"postgresql.role\"'), "
        "coalesce(json_extract(s.attributes, '$.\"postgresql.application\"'), ''), max(p.value) "
        "FROM points p JOIN series s ON s.id = p.series WHERE s.name = 'postgresql.sessions' GROUP BY 1, 2, 3"
    )
    return [row for row in database.ask(ask) if row[0] and row[1]]
