"""What a run did as a whole: requests, bytes, events, statements, processors, memory. For `shoal cost --usage run`."""

from shoal.cost.measured import Run, Served
from shoal.dashboard.store.reading.cells import WIDTH, span_of
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.reading.edges import edges
from shoal.dashboard.store.reading.operations import operations
from shoal.dashboard.store.writing.edges import GATEWAY

_STORES = frozenset({"postgresql", "mongodb", "aws.dynamodb", "gcp.firestore"})
_OBJECTS = frozenset({"aws.s3", "azure.blob", "folder"})
"""Engines, as OpenTelemetry's ``db.system.name`` spells them."""

_WRITES = (
    *("insert", "update", "delete", "merge", "with", "replace", "put", "batch_write", "transact_write", "bulk"),
    *("find_one_and", "findandmodify", "create_multipart", "complete_multipart", "upload"),
)
"""Beginnings of statements and commands that write."""

_NEITHER = frozenset({"begin", "commit", "rollback", "set", "listen", "lock", "create", "alter", "drop", "truncate"})
"""Words of SQL that neither read nor write a row."""

_LINE = 150
"""Bytes of a line of the log beside its message, what it says besides and the service's name: time, trace, replica."""

_TOLD = "SELECT r.service, {} FROM spans s JOIN resources r ON r.id = s.resource"
_BATCH = "json_extract(CAST(s.detail AS TEXT), '$[0].\"db.operation.batch.size\"')"
_SIZE = "json_extract(CAST(s.detail AS TEXT), '$[0].\"http.response.body.size\"')"
"""Attributes are the first of what a span says besides."""


def used(database: Database, number: int = 0) -> Run:
    """Sum up a run; `number` is what it is called.

    Requests are those that the gateway saw. Where there was none, those that services answered and nobody asked for.
    """
    begin, end = span_of(database, None, None)
    run = Run(number=number, seconds=_seconds(database, begin, end), services={})
    ways = edges(database)
    asked = {(edge.target, edge.name): edge.count for edge in ways.items if edge.kind == "call"}
    for one in operations(database).items:
        if one.kind != "server":
            continue
        if one.service == GATEWAY:
            run.door[one.name] = run.door.get(one.name, 0) + one.count
        else:
            _served(run, one.service).requests += one.count
    if not run.door:
        _without_gateway(database, run, asked)
    run.door = {name: count for name, count in run.door.items() if " /" in name}
    for edge in ways.items:
        if edge.kind == "store":
            _stored(_served(run, edge.source), edge.target.partition("/")[2], edge.name, edge.count)
        elif edge.kind == "event" and edge.source in run.services:
            run.published += edge.count
        elif edge.kind == "call" and edge.source != GATEWAY:
            _served(run, edge.source).calls += edge.count
    _rows(database, run)
    _bytes(database, run)
    _machines(database, run)
    return run


def _served(run: Run, service: str) -> Served:
    return run.services.setdefault(service, Served())


def _seconds(database: Database, begin: int, end: int) -> float:
    """Measure from the first to the last span, which is finer than cells are; cells stay when old spans are let go."""
    first, last = database.ask("SELECT min(started), max(started + took) FROM traces")[0]
    return max((last - first) / 1e6 if first is not None else 0.0, float(end - begin - WIDTH))


def _without_gateway(database: Database, run: Run, asked: dict[tuple[str, str], int]) -> None:
    for one in operations(database).items:
        left = one.count - asked.get((one.service, one.name), 0)
        if one.kind == "server" and left > 0:
            run.door[one.name] = run.door.get(one.name, 0) + left


def _stored(served: Served, engine: str, name: str, count: int) -> None:
    """Count what an engine was asked; Firestore's ``commit`` is the one that writes."""
    verb = name.partition(" ")[0].lower()
    writes = verb.startswith(_WRITES) or (engine == "gcp.firestore" and verb == "commit")
    served.engines += count
    if engine in _OBJECTS:
        served.object_writes, served.object_reads = (
            served.object_writes + count * writes, served.object_reads + count * (not writes),
        )  # fmt: skip
    elif engine in _STORES and writes:
        served.writes += count
    elif engine in _STORES and verb not in _NEITHER:
        served.reads += count


def _rows(database: Database, run: Run) -> None:
    """Count each further row that travelled with a statement."""
    for service, more in database.ask(f"{_TOLD.format(f'sum({_BATCH} - 1)')} WHERE {_BATCH} > 1 GROUP BY 1"):
        _served(run, service).writes += int(more)


def _bytes(database: Database, run: Run) -> None:
    """Add what answers and lines of logs measure."""
    told = database.ask(f"{_TOLD.format(f'sum({_SIZE}), count({_SIZE})')} WHERE r.service = ? GROUP BY 1", (GATEWAY,))
    for _, size, count in told:
        run.answered, run.answers = int(size or 0), int(count)
    ask = (
        "SELECT r.service, sum(length(CAST(l.message AS BLOB)) + length(l.attributes)), count(*) FROM logs l "
        "JOIN resources r ON r.id = l.resource GROUP BY 1"
    )
    for service, size, lines in database.ask(ask):
        if service in run.services:
            run.services[service].log_bytes += int(size) + lines * (_LINE + len(service))


def _machines(database: Database, run: Run) -> None:
    """Add what processes used; what they told before the first request is what starting took, and does not count."""
    ask = (
        "SELECT r.service, s.name, max(p.value), coalesce(max(p.value) FILTER (WHERE p.at <= "
        "(SELECT min(started) FROM traces)), 0) FROM points p "
        "JOIN series s ON s.id = p.series JOIN resources r ON r.id = s.resource "
        "WHERE s.name IN ('process.cpu.time', 'process.memory.usage') GROUP BY s.id"
    )
    for service, name, most, before in database.ask(ask):
        if service not in run.services:
            continue
        served = run.services[service]
        if name == "process.cpu.time":
            served.cpu += most - before
        else:
            served.memory = max(served.memory, most)
