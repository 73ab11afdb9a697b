"""Every metric of a service, a line each. What is not here cannot be measured, so the reference page is complete.

Names, units and attributes are those of OpenTelemetry's semantic conventions where it has one (http, messaging, db,
process, cpython); the rest begins with ``shoal.``.
"""

from collections.abc import Mapping

from shoal.telemetry.measures import Kind, Metric

OUTCOME = "shoal.outcome"


def _metric(name: str, kind: Kind, unit: str, labels: tuple[str, ...], summary: str) -> Metric:
    return Metric(name=name, kind=kind, unit=unit, labels=labels, summary=summary)


_HTTP = (
    "http.request.method",
    "http.route",
    "url.scheme",
    "shoal.operation",
    "http.response.status_code",
    "error.type",
)
_POOL = ("db.client.connection.pool.name",)
_GENERATION = ("cpython.gc.generation",)

_ALL = (
    _metric("http.server.request.duration", "histogram", "s", _HTTP, "How long requests took until their answer."),
    _metric("http.server.active_requests", "level", "{request}", ("url.scheme",), "Requests that are being answered."),
    _metric("http.client.request.duration", "histogram", "s",
            ("http.request.method", "url.template", "server.address", "shoal.operation", *_HTTP[-2:]),
            "How long each attempt to call another service took."),
    _metric("shoal.call.retries", "counter", "{call}", ("shoal.operation",), "Calls that were made once more."),
    _metric("shoal.call.retry_budget", "gauge", "{call}", ("shoal.operation",),
            "How many may be made once more; each call earns a tenth of one."),
    _metric("messaging.process.duration", "histogram", "s",
            ("messaging.system", "messaging.operation.name", "messaging.consumer.group.name",
             "messaging.destination.name", OUTCOME),
            "How long handlers of events took: ok, duplicate, retried or dead."),
    _metric("shoal.event.delay", "histogram", "s", ("messaging.destination.name", OUTCOME),
            "How long it took from the announcement of an event until its effect was committed."),
    _metric("shoal.saga.duration", "histogram", "s", ("shoal.saga.step", OUTCOME),
            "How long attempts of steps of sagas took: ok, failed, away, refused, rejected or overtaken."),
    _metric("shoal.schedule.duration", "histogram", "s", ("shoal.schedule", OUTCOME),
            "How long runs of schedules took: ok, retried, abandoned or lost."),
    _metric("shoal.projection.duration", "histogram", "s", ("shoal.projection", OUTCOME),
            "How long it took to fold events into read models: folded or failed."),
    _metric("shoal.journal.duration", "histogram", "s", ("shoal.event", OUTCOME),
            "How long it took to note what projections need: noted, repeated or parked."),
    _metric("shoal.cache.duration", "histogram", "s", ("shoal.cache.operation", OUTCOME),
            "How long the cache took to answer: ok, away or refused."),
    _metric("shoal.cached.duration", "histogram", "s", ("shoal.function", OUTCOME),
            "How long calls of kept functions took: hit, miss, shared, stale, late or away."),
    _metric("shoal.objective.requests", "counter", "{request}", ("shoal.operation", "shoal.objective", OUTCOME),
            "Requests that count for an objective of the endpoint: good or bad."),
    _metric("shoal.objective.target", "gauge", "", ("shoal.operation", "shoal.objective", "shoal.objective.window"),
            "Share of the requests that must be good."),
    _metric("shoal.circuit.state", "gauge", "", ("shoal.circuit",), "A circuit: 0 closed, 1 half-open, 2 open."),
    _metric("shoal.circuit.calls", "counter", "{call}", ("shoal.circuit", OUTCOME),
            "Calls by how they ended: answered, failed, refused (4xx), short (not made) or abandoned."),
    _metric("shoal.circuit.turns", "counter", "{turn}", ("shoal.circuit", "shoal.circuit.state"),
            "How often a circuit came to a state."),
    _metric("shoal.fallbacks", "counter", "{call}", ("shoal.call", "shoal.fallback"),
            "Answers that stood in for the callee's: cached or default."),
    _metric("shoal.store.up", "gauge", "", (), "1 when the store answered just now, else 0."),
    _metric("shoal.cache.up", "gauge", "", (), "1 when the cache answered just now, else 0."),
    _metric("shoal.warehouse.up", "gauge", "", (), "1 while facts are loaded, 0 while they wait in the store."),
    _metric("shoal.search.up", "gauge", "", (),
            "1 while indexes follow their records, 0 while changes wait or another replica keeps them."),
    _metric("shoal.outbox.pending", "gauge", "{event}", (), "Events that wait for the broker."),
    _metric("shoal.outbox.age", "gauge", "s", (), "For how long the oldest of them has waited."),
    _metric("shoal.outbox.refused", "gauge", "{event}", (), "Events that the broker refuses, set aside."),
    _metric("shoal.outbox.bound", "gauge", "{event}", (), "How many may wait before commands are answered 503."),
    _metric("shoal.sagas.in_hand", "gauge", "{saga}", (), "Sagas that this replica works on."),
    _metric("shoal.sagas.parked", "gauge", "{saga}", (), "Sagas that wait for a person."),
    _metric("shoal.leases.held", "level", "{lease}", ("shoal.lease.group",), "Rights to work that this replica holds."),
    _metric("db.client.connection.count", "level", "{connection}", (*_POOL, "db.client.connection.state"),
            "Connections to the store, idle or used."),
    _metric("db.client.connection.max", "level", "{connection}", _POOL, "How many connections there may be."),
    _metric("db.client.connection.pending_requests", "level", "{request}", _POOL, "Who waits for a connection."),
    _metric("shoal.loop.lag", "histogram", "s", (), "How late the event loop was for a timer that it had set."),
    _metric("shoal.telemetry.dropped", "counter", "{record}", ("shoal.signal",),
            "Spans and log records that were not sent and never will be."),
    _metric("process.cpu.time", "counter", "s", ("cpu.mode",), "Processor time that the process used."),
    _metric("process.memory.usage", "level", "By", (), "Memory that is resident."),
    _metric("process.unix.file_descriptor.count", "level", "{file_descriptor}", (), "Open files and sockets."),
    _metric("process.thread.count", "level", "{thread}", (), "Threads."),
    _metric("process.uptime", "gauge", "s", (), "For how long the process has run."),
    _metric("cpython.gc.collections", "counter", "{collection}", _GENERATION, "Runs of the garbage collector."),
    _metric("cpython.gc.collected_objects", "counter", "{object}", _GENERATION, "Objects that it let go of."),
    _metric("cpython.gc.uncollectable_objects", "counter", "{object}", _GENERATION, "Objects that it could not free."),
)  # fmt: skip

CATALOG: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""By name, in the order in which they are shown."""
