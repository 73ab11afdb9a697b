"""What a run has seen of calls, events and sessions, as it is compared with declarations."""

from pathlib import Path

from shoal.check.observed import SeenCall, SeenEvent, SeenSession
from shoal.dashboard.store.reading import seen
from shoal.dashboard.store.records import Point, Record
from tests.dashboard.telling import NOON, resource, span, written

STATEMENT = {"db.system.name": "postgresql", "db.namespace": "orders"}


def told(trace: int) -> list[Record]:
    """Tell of a request to orders, which asks products twice, and users by a client of its own."""
    n = trace * 100
    shown = {"shoal.upstream": "orders", "shoal.operation": "orders.place"}
    placed = {"shoal.operation": "orders.place"}
    asked = {"peer.service": "products", "shoal.operation": "products.prices"}
    event = {"messaging.destination.name": "orders.placed.v1"}
    return [
        span("gateway", "POST /orders", trace, number=n + 1, took=10, attributes=shown),
        span("orders", "POST /orders", trace, number=n + 2, parent=n + 1, attributes=placed),
        span("orders", "GET /prices", trace, number=n + 3, parent=n + 2, kind="client", attributes=asked, took=4),
        span("orders", "GET /prices", trace, number=n + 4, parent=n + 2, kind="client", failed=True, attributes=asked),
        span("orders", "GET", trace, number=n + 5, parent=n + 2, kind="client"),
        span("users", "GET /n/{id}", trace, number=n + 6, parent=n + 5, attributes={"shoal.operation": "users.name"}),
        span("orders", "INSERT orders, INSERT lines", trace, parent=n + 2, kind="client", attributes=STATEMENT),
        span("orders", "send orders.placed.v1", trace, parent=n + 2, kind="producer", attributes=event),
        span("mails", "process orders.placed.v1", trace, parent=n + 2, kind="consumer", attributes=event),
        span("mails", "process bills.sent.v1", trace, parent=n + 2, kind="consumer",
             attributes={"messaging.destination.name": "bills.sent.v1"}),
        span("orders", "send orders.lost.v1", trace, parent=n + 2, kind="producer",
             attributes={"messaging.destination.name": "orders.lost.v1"}),
    ]  # fmt: skip


def sessions(role: str, count: float, at: int, client: str = "") -> Point:
    who = f', "postgresql.application": "{client}"' if client else ""
    said = f'{{"db.namespace": "orders", "postgresql.role": "{role}"{who}}}'
    return Point(resource("postgres"), "postgresql.sessions", "{{connection}}", "gauge", False, said, NOON + at, count)


def test_a_run_tells_who_asked_announced_heard_and_read(tmp_path: Path) -> None:
    points: list[Record] = [sessions("orders", 2.0, 0), sessions("orders", 5.0, 1), sessions("mails", 1.0, 0)]
    points += [sessions("orders", 3.0, 0, "mails"), sessions("ada", 1.0, 0, "psql")]
    with written(tmp_path / "run.db", *(told(n) for n in range(1, 4)), points) as database:
        found = seen(database, "run 7")
    assert (found.run, found.seconds) == ("run 7", 10.0)
    assert {(one.service, one.endpoint, one.count) for one in found.operations} == {
        ("orders", "place", 3),
        ("users", "name", 3),
    }
    calls = {(one.caller, one.callee): one for one in found.calls}
    assert calls["gateway", "orders"] == SeenCall(
        caller="gateway", callee="orders", endpoint="place", count=3, p50=calls["gateway", "orders"].p50, p99=calls[
            "gateway", "orders"].p99
    )  # fmt: skip
    prices = calls["orders", "products"]
    assert (prices.endpoint, prices.count, prices.errors) == ("prices", 6, 3)
    assert (prices.most, prices.within) == (2, "orders.place")
    assert prices.p99 == 0.004 or abs(prices.p99 - 0.004) < 0.0005
    assert (calls["orders", "users"].endpoint, calls["orders", "users"].count) == ("name", 3)
    assert set(found.events) == {
        SeenEvent(event="orders.placed.v1", producer="orders", consumer="mails", count=3),
        SeenEvent(event="bills.sent.v1", producer="bills", consumer="mails", count=3),
        SeenEvent(event="orders.lost.v1", producer="orders", count=3),
    }
    assert set(found.sessions) == {
        SeenSession(database="orders", role="", service="orders", tables=("lines", "orders")),
        SeenSession(database="orders", role="orders", most=5),
        SeenSession(database="orders", role="mails", most=1),
        SeenSession(database="orders", role="orders", service="mails", most=3),
        SeenSession(database="orders", role="ada", most=1),
    }


def test_a_call_of_which_no_span_is_kept_is_told_by_its_name(tmp_path: Path) -> None:
    asked = {"peer.service": "products"}
    with written(tmp_path / "run.db", [span("orders", "GET /prices", 1, kind="client", attributes=asked)]) as database:
        (call,) = seen(database, "run 1").calls
    assert (call.callee, call.endpoint) == ("products", "GET /prices")


def test_a_run_in_which_nothing_happened_has_seen_nothing(tmp_path: Path) -> None:
    with written(tmp_path / "run.db") as database:
        found = seen(database, "run 1")
    assert (found.seconds, found.calls, found.events, found.sessions, found.operations) == (0.0, (), (), (), ())
