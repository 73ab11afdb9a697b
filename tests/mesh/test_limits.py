"""Limits become buckets: whose they are, and what is said of them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.mesh import limits
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for, sidecar
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit, Sharing, Who
from shoal.model.plan import Plan, plan
from shoal.model.service import Access
from shoal.model.system import Gateway, Issuer, System
from shoal.model.target import LOCAL, Target
from tests.mesh.samples import ANYONE, ISSUER, PRINCIPAL, TINY, endpoint, planned, service

FOREIGN = Issuer(service="things", audience="s", name="https://things.example")


def filters(planned: Plan) -> dict[str, Any]:
    """Read the edge's filters by name."""
    files = {a.path: json.loads(a.text) for a in compile_mesh(planned, layout_for(planned, root="/r"))}
    edge = next(one for one in files["lds/listeners.json"]["resources"] if one["name"] == "edge")
    manager = edge["filter_chains"][0]["filters"][0]["typed_config"]
    return {one["name"]: one for one in manager["http_filters"]}


@given(requests=st.integers(1, 1_000_000), per=st.floats(0.05, 86_400), burst=st.integers(0, 1_000_000))
def test_a_caller_who_waits_as_told_finds_a_token(requests: int, per: float, burst: int) -> None:
    limit = RateLimit(requests=requests, per=per, burst=burst)
    assert limits.wait(limit) * requests / per >= 1
    assert limits.wait(limit) >= 1


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (RateLimit(requests=100, per=60), '"default";q=100;w=60'),
        (RateLimit(requests=100, per=60, burst=10), '"default";q=10;w=6'),
        (RateLimit(requests=5, per=0.5), '"default";q=5;w=1'),
    ],
)
def test_the_policy_is_the_bucket_and_the_time_in_which_it_fills(limit: RateLimit, said: str) -> None:
    assert limits.policy(limit) == said


def test_nobody_pays_for_limits_that_nobody_declared() -> None:
    plan = planned(TINY)
    assert not [a.path for a in compile_mesh(plan, layout_for(plan, root="/r")) if "ratelimit" in a.text]


def counted(*, by: Who = "address", shared: Sharing = "counted") -> Plan:
    limit = RateLimit(requests=3, per=60, burst=9, by=by, shared=shared)
    limited = msgspec.structs.replace(endpoint("list", "GET", "/things", ANYONE), edge=Edge(limit=limit))
    target = msgspec.structs.replace(LOCAL, mesh="sidecars")
    return plan(System(name="s", services=(service("things", limited),), gateway=Gateway(issuer=FOREIGN)), target)


def test_a_counted_limit_is_asked_by_standard_descriptors_and_kept_from_other_filters() -> None:
    found = filters(counted())
    ours = ["shoal.limit_headers", "shoal.backstop", "envoy.filters.http.ratelimit"]
    assert [name for name, one in found.items() if "LocalRateLimit" in str(one) or name in ours] == ours
    settings = found["envoy.filters.http.ratelimit"]["typed_config"]
    assert (settings["domain"], settings["failure_mode_deny"], settings["timeout"]) == ("s", False, "0.1s")
    texts = {a.path: a.text for a in compile_mesh(counted(), layout_for(counted(), root="/r"))}
    assert json.loads(texts["limits.json"]) == {"things.list": {"requests": 3, "per": 60.0, "size": 9}}
    (asked,) = routed(texts["rds/edge.json"])["envoy.filters.http.ratelimit"]["rate_limits"]
    operation, caller = asked["actions"]
    assert operation == {"generic_key": {"descriptor_key": "operation", "descriptor_value": "things.list"}}
    assert [*caller] == ["masked_remote_address"]


def routed(text: str) -> dict[str, Any]:
    """Read what filters are told of the route of things."""
    (host,) = json.loads(text)["resources"][0]["virtual_hosts"]
    found = next(route for route in host["routes"] if route.get("name") == "things.list")
    return dict(found["typed_per_filter_config"])


@pytest.mark.parametrize("shared", [False, True])
def test_nobody_else_pays_for_a_count(*, shared: bool) -> None:
    other = counted(shared=shared)
    texts = [a.path + a.text for a in compile_mesh(other, layout_for(other, root="/r"))]
    assert not [text for text in texts if "limiter" in text or "backstop" in text or "limits.json" in text]


def test_sidecars_do_not_ask_the_count() -> None:
    layout = sidecar(layout_for(counted(), root="/r"), "things")
    assert not [a for a in compile_mesh(counted(), layout) if "limiter" in a.text or a.path == "limits.json"]


@pytest.mark.parametrize(
    ("access", "by", "counted"),
    [
        (PRINCIPAL, "principal", {"principal"}),
        (ANYONE, "principal", {"address"}),
        (ANYONE, "address", {"address"}),
        (PRINCIPAL, "everyone", {"everyone"}),
    ],
)
def test_each_request_is_asked_only_for_who_is_counted_somewhere(access: Access, by: Any, counted: set[str]) -> None:
    limited = msgspec.structs.replace(
        endpoint("list", "GET", "/things", access), edge=Edge(limit=RateLimit(requests=1, by=by))
    )
    system = System(name="s", services=(service("things", limited),), gateway=Gateway(issuer=FOREIGN))
    found = filters(plan(system, Target()))["envoy.filters.http.local_ratelimit"]["typed_config"]
    assert {one["actions"][0]["metadata"]["descriptor_key"] for one in found["rate_limits"]} == counted


@pytest.mark.parametrize(("target", "left"), [(LOCAL, True), (Target(), False)], ids=["faults", "none"])
def test_claims_are_left_only_for_those_who_read_them(target: Target, *, left: bool) -> None:
    texts = {a.path: json.loads(a.text) for a in compile_mesh(plan(TINY, target), layout_for(planned(TINY), root="/r"))}
    (filter_,) = texts["ecds/tokens.json"]["resources"]
    (provider,) = filter_["typed_config"]["providers"].values()
    assert ("payload_in_metadata" in provider) is left


def test_claims_are_left_where_an_endpoint_asks_for_a_role() -> None:
    asks = service("auth", endpoint("login", "POST", "/login", Access(kind="principal", roles=("clerk",))))
    planned = plan(System(name="s", services=(asks,), gateway=Gateway(issuer=ISSUER)), Target())
    texts = {a.path: a.text for a in compile_mesh(planned, layout_for(planned, root="/r"))}
    assert "payload_in_metadata" in texts["ecds/tokens.json"]
