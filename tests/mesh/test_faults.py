"""Faults as data: what people may write, whom a fault strikes, and the values by which the proxy is told."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shoal.errors import DeclarationError
from shoal.mesh import faults
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from shoal.model.fault import Edge, Fault, edges, read_edge, struck
from shoal.model.plan import plan
from shoal.model.target import LOCAL, Target
from tests.mesh.samples import TINY, planned

PLAN = planned(TINY)
FAULTS = st.builds(
    Fault,
    caller=st.sampled_from(["orders", "gateway"]),
    callee=st.just("products"),
    endpoint=st.sampled_from(["prices", "list"]),
    delay=st.integers(1, 3_600_000).map(lambda ms: ms / 1000),
    abort=st.just(0) | st.integers(200, 599),
    percent=st.integers(1, 1_000_000).map(lambda parts: parts / 10_000),
)


def test_an_edge_is_spelled_as_a_shell_takes_it() -> None:
    fault = Fault(caller="orders", callee="payments", endpoint="charge", abort=503)
    assert fault.spelled == shlex.quote(fault.spelled) == "orders:payments.charge"
    assert read_edge(fault.spelled).endpoint == "charge"


@pytest.mark.parametrize("text", ["orders→payments", "orders->payments", "orders:payments", " orders -> payments "])
def test_the_ways_to_write_an_edge(text: str) -> None:
    assert read_edge(text) == Edge(caller="orders", callee="payments")
    assert read_edge(text.strip() + ".take") == Edge(caller="orders", callee="payments", endpoint="take")


@pytest.mark.parametrize("text", ["", "orders", "orders→", "→payments", "orders=>payments", "a→b→c", "Orders→payments"])
def test_what_is_no_edge_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="names no way"):
        read_edge(text)


def test_edges_are_the_declared_ones() -> None:
    assert edges(PLAN) == {
        ("gateway", "auth"): ("login",),
        ("gateway", "orders"): ("get", "place", "summary"),
        ("gateway", "products"): ("get", "list", "remove"),
        ("orders", "products"): ("prices",),
    }


@pytest.mark.parametrize(
    ("edge", "says", "hint"),
    [
        ("nobody→products", "no service 'nobody'", "services: products, orders, auth, gateway"),
        ("orders→nobody", "no service 'nobody'", "services: products, orders, auth, gateway"),
        ("orders→auth", "orders does not call auth", "it calls: products"),
        ("auth→orders", "auth does not call orders", "callers are: gateway, orders"),
        ("orders→products.list", "does not call products.list", "it calls: prices"),
    ],
)
def test_a_way_that_nobody_goes_is_refused_with_those_there_are(edge: str, says: str, hint: str) -> None:
    with pytest.raises(DeclarationError, match=says) as refused:
        struck(PLAN, read_edge(edge))
    assert refused.value.hint == hint


@pytest.mark.parametrize(
    "nonsense", [{"delay": -1.0}, {"abort": 99}, {"delay": 4000.0}, {}, {"abort": 503, "percent": 0.0}]
)
def test_a_fault_that_cannot_be_is_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(DeclarationError) as refused:
        Fault(caller="a", callee="b", **nonsense)  # type: ignore[arg-type]
    assert refused.value.hint


@given(fault=FAULTS)
def test_what_the_proxy_is_told_can_be_read_again(fault: Fault) -> None:
    told = faults.values(fault, [fault.endpoint])
    assert faults.present(told) == [fault]
    assert faults.present(told | faults.cleared(fault.caller, fault.callee, [fault.endpoint])) == []


@given(old=FAULTS, new=FAULTS)
def test_a_new_fault_takes_the_place_of_the_old_one(old: Fault, new: Fault) -> None:
    new = replace(new, caller=old.caller, endpoint=old.endpoint)
    told = faults.values(old, [old.endpoint]) | faults.values(new, [new.endpoint])
    assert faults.present(told) == [new]


def test_only_where_the_target_allows_faults_does_a_filter_ask_for_them() -> None:
    struck_here, elsewhere = (
        "".join(a.text for a in compile_mesh(found, layout_for(found, root="/r")))
        for found in (plan(TINY, LOCAL), plan(TINY, Target()))
    )
    assert "envoy.filters.http.fault" in struck_here
    assert "envoy.filters.http.fault" not in elsewhere


def test_a_target_without_faults_refuses_them() -> None:
    with pytest.raises(DeclarationError, match="no faults on purpose"):
        struck(plan(TINY, Target()), read_edge("orders→products"))
