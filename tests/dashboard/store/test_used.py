"""What a run did as a whole: requests, calls, events, statements, rows, bytes, processors, memory."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from shoal.dashboard.store.reading import database as database_of
from shoal.dashboard.store.reading import used
from shoal.dashboard.store.records import Point, Record
from tests.dashboard.telling import NOON, log, resource, span, written

STATEMENT = {"db.system.name": "postgresql"}
EVENT = {"messaging.destination.name": "orders.placed.v1"}


def told(trace: int) -> list[Record]:
    """Tell of one request: at the gateway, in orders, which asks products, writes three rows and tells of it."""
    size = {"http.response.body.size": 500, "shoal.upstream": "orders"}
    return [
        span("gateway", "POST /orders", trace, number=trace * 10 + 1, took=10, attributes=size),
        span("orders", "POST /orders", trace, number=trace * 10 + 2, parent=trace * 10 + 1),
        span("orders", "GET /products", trace, number=trace * 10 + 3, parent=trace * 10 + 2, kind="client",
             attributes={"peer.service": "products"}),
        span("products", "GET /products", trace, number=trace * 10 + 4, parent=trace * 10 + 3),
        span("products", "SELECT products", trace, parent=trace * 10 + 4, kind="client", attributes=STATEMENT),
        span("orders", "INSERT orders", trace, parent=trace * 10 + 2, kind="client",
             attributes=STATEMENT | {"db.operation.batch.size": 3}),
        span("orders", "send orders.placed.v1", trace, parent=trace * 10 + 2, kind="producer", attributes=EVENT),
        log("orders", "POST /orders 201", trace=trace),
    ]  # fmt: skip


def processors(service: str, seconds: float, at: float, name: str = "process.cpu.time") -> Point:
    return Point(resource(service), name, "s", "sum", True, "{}", NOON + round(at * 1e6), seconds)


def test_a_run_is_summed_up(tmp_path: Path) -> None:
    with written(tmp_path / "run.db", *(told(n) for n in range(1, 5))) as database:
        found = used(database, 7)
    assert (found.number, found.door, found.requests) == (7, {"POST /orders": 4}, 4)
    assert (found.answered, found.answers, found.published) == (2000, 4, 4)
    orders, products = found.services["orders"], found.services["products"]
    assert (orders.calls, products.calls) == (4, 0)
    assert (orders.requests, orders.reads, orders.writes) == (4, 0, 12)
    assert (products.requests, products.reads, products.writes) == (4, 4, 0)
    assert orders.log_bytes == 4 * (len("POST /orders 201") + len('{"n":1}') + len("orders") + 150)
    assert found.seconds == 0.01


@pytest.mark.parametrize(
    ("engine", "name", "counts"),
    [
        ("aws.dynamodb", "put_item orders", (0, 1, 0, 0)), ("aws.dynamodb", "transact_write_items", (0, 1, 0, 0)),
        ("aws.dynamodb", "query orders", (1, 0, 0, 0)), ("gcp.firestore", "commit", (0, 1, 0, 0)),
        ("gcp.firestore", "batchGet", (1, 0, 0, 0)), ("mongodb", "find_one_and_update orders", (0, 1, 0, 0)),
        ("postgresql", "COMMIT", (0, 0, 0, 0)), ("postgresql", "WITH orders", (0, 1, 0, 0)),
        ("redis", "SET", (0, 0, 0, 0)),
        ("aws.s3", "put_object pictures", (0, 0, 0, 1)), ("aws.s3", "get_object pictures", (0, 0, 1, 0)),
    ],
)  # fmt: skip
def test_what_engines_are_asked_is_a_read_or_a_write(
    engine: str, name: str, counts: tuple[int, ...], tmp_path: Path
) -> None:
    spans = [span("orders", "GET /x", 1, number=5), span("orders", name, 1, parent=5, kind="client",
             attributes={"db.system.name": engine})]  # fmt: skip
    with written(tmp_path / "run.db", spans) as database:
        one = used(database).services["orders"]
    assert (one.reads, one.writes, one.object_reads, one.object_writes) == counts
    assert one.engines == 1


def test_processors_are_counted_from_the_first_request_on(tmp_path: Path) -> None:
    points = [processors("orders", 3.0, -5.0), processors("orders", 3.5, 5.0), processors("products", 2.0, 5.0)]
    points += [
        processors("orders", one, at, "process.memory.usage") for one, at in ((5e7, 1.0), (9e7, 2.0), (8e7, 3.0))
    ]
    with written(tmp_path / "run.db", told(1), points) as database:
        found = used(database)
    assert found.services["orders"].cpu == 0.5
    assert found.services["products"].cpu == 2.0, "nothing was told before, so starting is in it"
    assert found.services["orders"].memory == 9e7


def test_a_run_lasts_as_long_as_its_roll_ups_also_when_its_first_spans_are_gone(tmp_path: Path) -> None:
    spans = [span("gateway", "POST /orders", n, at=n * 60_000.0) for n in range(1, 11)]
    with written(tmp_path / "run.db", spans) as database:
        assert used(database).seconds == pytest.approx(540, abs=0.1)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as connection, connection:
        connection.execute("DELETE FROM traces WHERE n <= 8")
    with database_of(tmp_path / "run.db") as database:
        assert used(database).seconds >= 530


def test_without_a_gateway_those_count_whom_no_service_asked(tmp_path: Path) -> None:
    spans = [one for one in told(1) if getattr(one, "resource", resource("x")).service != "gateway"]
    with written(tmp_path / "run.db", spans) as database:
        found = used(database)
    assert found.door == {"POST /orders": 1}


def test_what_has_no_path_is_no_operation(tmp_path: Path) -> None:
    with written(tmp_path / "run.db", [span("gateway", "POST", 1), span("gateway", "HTTP", 2)]) as database:
        assert used(database).requests == 0
