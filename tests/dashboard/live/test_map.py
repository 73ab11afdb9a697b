"""The map: what is declared joined with what was seen; chains of calls; Mermaid."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import model
from shoal.dashboard.live import topology
from shoal.dashboard.live.data import caches
from shoal.dashboard.live.delivery import delivered
from shoal.dashboard.live.map import Edge, Map, Observed, drawn
from shoal.dashboard.live.mermaid import mermaid
from shoal.dashboard.live.readings import Circuit, circuits, parsed, total
from shoal.dashboard.live.schemas import form
from shoal.dashboard.store.reading import Span
from shoal.local.state import ProcessState, RunState
from shoal.model.breaker import Breaker
from shoal.model.fault import Fault

STORE = model.Store(engine="postgres")


def service(name: str, *calls: str, guarded: str = "") -> model.Service:
    return model.Service(
        name=name,
        entry=f"{name}:{name}",
        endpoints=(model.Endpoint(name="ask", method="GET", path=f"/{name}", access=model.Access(kind="anyone")),),
        calls=tuple(
            model.Call(service=c, endpoint="ask", breaker=Breaker(circuit=f"{c}.ask") if c == guarded else None)
            for c in calls
        ),
    )


def village() -> model.System:
    placed = model.Event(name="orders.placed", key="id", schema={})
    orders = msgspec.structs.replace(service("orders", "stock", guarded="stock"), store=STORE, publishes=(placed,))
    hears = model.Subscription(event="orders.placed.v1", handler="tell", source="mail.py:7")
    mail = msgspec.structs.replace(service("mail"), store=STORE, subscriptions=(hears,))
    return model.System(name="village", services=(orders, service("stock", "prices"), service("prices"), mail))


def seen(source: str, target: str, kind: topology.Way = "call", count: int = 10, errors: int = 0) -> Observed:
    return Observed(source=source, target=target, kind=kind, count=count, errors=errors, rate=count / 10, p50=1, p99=9)


def edges(found: Map) -> dict[str, Edge]:
    return {edge.id: edge for edge in found.edges}


def test_what_is_declared_and_seen_is_active_and_the_rest_idle() -> None:
    found = edges(drawn(village(), [seen("orders", "stock", errors=3)]))
    assert (found["orders→stock"].standing, found["orders→stock"].errors) == ("active", 3)
    assert found["stock→prices"].standing == "idle"
    assert found["gateway→orders"].names == ("ask",)


def test_what_nobody_declared_is_drawn_with_its_ends() -> None:
    found = drawn(village(), [seen("stock", "orders"), seen("stock", "stock/redis", "store"), seen("ghost", "mail")])
    odd = {edge.id for edge in found.edges if edge.standing == "undeclared"}
    assert odd == {"stock→orders", "stock→stock/redis", "ghost→mail"}
    undeclared = {node.id: node.kind for node in found.nodes if not node.declared}
    assert undeclared == {"stock/redis": "store", "ghost": "service"}


def test_events_go_through_their_topic_and_stores_have_the_names_of_traces() -> None:
    rows = [
        seen("orders", "orders.placed.v1", "event"),
        seen("orders.placed.v1", "mail", "event"),
        seen("orders", "orders/postgresql", "store"),
    ]
    found = edges(drawn(village(), rows))
    assert {edge.standing for edge in found.values() if edge.source.startswith("orders.placed")} == {"active"}
    assert found["orders.placed.v1→mail"].where == "mail.py:7"
    assert found["orders→orders/postgresql"].standing == "active"


def test_several_operations_of_one_way_are_one_edge_with_the_slowest_of_them() -> None:
    slow = msgspec.structs.replace(seen("orders", "stock"), name="GET /b", p99=70)
    found = edges(drawn(village(), [seen("orders", "stock"), slow]))["orders→stock"]
    assert (found.count, found.p99) == (20, 70)


def test_breakers_faults_and_replicas_are_on_the_map_while_it_runs() -> None:
    ready = ProcessState(name="orders-0", kind="service", service="orders", status="ready")
    failed = ProcessState(name="orders-1", kind="service", service="orders", status="failed")
    run = RunState(system="village", root="/", shape="processes", pid=1, processes=(ready, failed))
    fault = Fault(caller="orders", callee="stock", abort=503, percent=30)
    circuit = Circuit(service="orders", name="stock.ask", state="open")
    found = drawn(village(), [], run=run, circuits=[circuit], faults=[fault])
    edge, node = edges(found)["orders→stock"], next(node for node in found.nodes if node.id == "orders")
    assert (edge.circuit, edge.fault) == ("open", "30 % answered by 503")
    assert (node.health, node.ready, node.replicas, found.live) == ("degraded", 1, 2, True)


def test_the_longest_chain_of_calls_is_known_from_every_service() -> None:
    found = drawn(village(), [])
    depths = {node.id: node.depth for node in found.nodes if node.kind == "service"}
    assert depths == {"orders": 2, "stock": 1, "prices": 0, "mail": 0}
    assert found.chain == ("orders", "stock", "prices")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_chains_end_although_services_call_each_other_in_a_ring(pairs: list[tuple[int, int]]) -> None:
    calls: dict[int, set[int]] = {number: set() for number in range(7)}
    for caller, callee in pairs:
        calls[caller].add(callee)
    services = tuple(service(f"n{n}", *(f"n{c}" for c in sorted(calls[n]))) for n in calls)
    for name, chain in topology.longest(model.System(name="ring", services=services)).items():
        assert chain[0] == name
        assert len(set(chain)) == len(chain)
        assert all(int(after[1:]) in calls[int(before[1:])] for before, after in pairwise(chain))


def test_mermaid_draws_calls_solid_events_dashed_and_surprises_red() -> None:
    text = mermaid(drawn(village(), [seen("stock", "orders"), seen("orders.placed.v1", "mail", "event")]))
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    assert any('-.->|"1/s"|' in line for line in lines)
    assert sum("-->" in line for line in lines) == 9
    assert lines[-1].startswith("  linkStyle ")


def test_readings_are_gathered_by_breaker_and_the_worst_replica_counts() -> None:
    state, calls = "shoal_circuit_state", "shoal_circuit_calls_total"
    text = f'{state}{{shoal_circuit="a.b"}} %d\n{calls}{{shoal_circuit="a.b",shoal_outcome="failed"}} 4\n'
    samples = [
        *parsed("x-1", "x", "# TYPE y gauge\n" + text % 2),
        *parsed("x-0", "x", text % 0),
        *parsed("x-0", "x", "y 1.5"),
    ]
    (found,) = circuits(samples)
    assert (found.state, found.calls, found.replicas) == ("open", {"failed": 8}, {"x-0": "closed", "x-1": "open"})
    assert (total(samples, "y"), total(samples, "z")) == (1.5, None)


def test_kept_functions_are_counted_over_replicas() -> None:
    line = 'shoal_cached_duration_seconds_count{shoal_function="web.prices",shoal_outcome="%s"} %d\n'
    samples = [
        *parsed("web-0", "web", line % ("hit", 3) + line % ("miss", 1)),
        *parsed("web-1", "web", line % ("hit", 2)),
    ]
    assert caches(samples) == [{"function": "web.prices", "outcomes": {"hit": 5, "miss": 1}}]


@given(st.text())
def test_no_line_stops_the_reading(text: str) -> None:
    list(parsed("x-0", "x", text))


def test_a_form_has_every_schema_that_it_leads_to_and_no_other() -> None:
    named: dict[str, dict[str, object]] = {
        "A": {"properties": {"b": {"$ref": "#/x/B"}}},
        "B": {"items": {"$ref": "#/x/A"}},
        "C": {},
    }
    found = form({"$ref": "#/x/A"}, named)
    assert found is not None
    assert set(found.named) == {"A", "B"}
    assert form(None, named) is None


def _span(name: str, started: float, event: str, **attributes: object) -> Span:
    return Span(
        span_id=name, parent_id="", service=name, replica="", kind="consumer", name=name, started=started, ms=5,
        status="error" if attributes.pop("failed", False) else "ok", message="",
        attributes={"messaging.message.id": event, **attributes}, events=[], links=[],
    )  # fmt: skip


def test_the_way_of_an_event_is_told_from_its_announcement() -> None:
    spans = [
        _span(
            "mail", 130.0, "e1", **{"shoal.handler": "tell", "shoal.attempt": 2, "shoal.queue_ms": 20, "failed": True}
        ),
        _span("orders", 100.0, "e1"),
        _span("stock", 101.0, "e2"),
    ]
    first, second = delivered(spans, "e1")
    assert (first.service, first.after) == ("orders", 0.0)
    assert (second.what, second.after, second.waited, second.attempt, second.failed) == ("tell", 30.0, 20.0, 2, True)


@pytest.mark.parametrize("count", [0, 1])
def test_a_way_says_nothing_of_times_while_it_is_idle(count: int) -> None:
    rows = [seen("orders", "stock", count=1)] * count
    found = edges(drawn(village(), rows))["orders→stock"]
    assert (found.p99 is None) == (count == 0)
