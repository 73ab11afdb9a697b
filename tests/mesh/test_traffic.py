"""What spreads requests is refused where it is nonsense, survives as JSON, and compiles to what it means."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shoal.errors import DeclarationError
from shoal.mesh import routes
from shoal.mesh.compile import compile_mesh
from shoal.mesh.endpoints import assignment, endpoints
from shoal.mesh.layout import Pipe, layout_for
from shoal.model.edge import Edge
from shoal.model.plan import plan
from shoal.model.streaming import Stream
from shoal.model.system import System, from_json, to_json
from shoal.model.target import Target
from shoal.model.traffic import HashBy, HealthCheck, Outliers, Shedding, Traffic
from tests.mesh.samples import PAIR, endpoint, service

EVERYTHING = Traffic(
    hash_by=HashBy(header="x-session"),
    health=HealthCheck(interval=0.5),
    outliers=Outliers(errors=5),
    panic=0,
    zones="near",
)


@pytest.mark.parametrize(
    "nonsense",
    [
        HashBy,
        lambda: HashBy(header="x-a", parameter="b"),
        lambda: HashBy(header="X-Upper"),
        lambda: HealthCheck(interval=0),
        lambda: HealthCheck(path="ready"),
        lambda: HealthCheck(failures=0),
        lambda: Outliers(errors=-1),
        lambda: Outliers(share=0),
        lambda: Traffic(panic=101),
        lambda: Traffic(requests=0),
        lambda: Target(zones=()),
        lambda: Target(zones=("a", "a")),
    ],
)
def test_nonsense_is_refused_with_a_hint(nonsense: Any) -> None:
    with pytest.raises(DeclarationError) as refused:
        nonsense()
    assert refused.value.hint


def test_a_key_that_no_path_has_is_refused_with_those_there_are() -> None:
    declared = service("carts", endpoint("get", "GET", "/carts/{cart_id}"))
    replace(declared, traffic=Traffic(hash_by=HashBy(parameter="cart_id")))
    with pytest.raises(DeclarationError, match="'card_id', which no path") as refused:
        replace(declared, traffic=Traffic(hash_by=HashBy(parameter="card_id")))
    assert refused.value.hint == "its path parameters are: cart_id"


def test_it_survives_as_json() -> None:
    system = System(name="one", services=(replace(service("a"), traffic=EVERYTHING),))
    assert from_json(to_json(system)) == system


@given(
    parts=st.lists(st.sampled_from(["carts", "lines", "{other}", "a.b"]), max_size=3),
    key=st.text("abc123-_~%20", min_size=1),
    query=st.sampled_from(["", "?", "?a=/carts/x"]),
)
def test_the_captured_parameter_is_the_one_of_the_path(parts: list[str], key: str, query: str) -> None:
    template = "/" + "/".join(["carts", "{cart_id}", *parts])
    path = template.replace("{cart_id}", key).replace("{other}", "else")
    found = re.fullmatch(routes.capture(template, "cart_id"), path + query)
    assert (found[1] if found else None) == key


def test_replicas_are_spread_over_zones_and_the_near_one_comes_first() -> None:
    planned = plan(PAIR, Target(zones=("a", "b"), replicas={"products": 3}))
    assert planned.service("products").zones == ("a", "b", "a")
    pipes = [Pipe(path=f"/s/{n}") for n in range(3)]
    found = assignment("products", pipes, planned.service("products").zones, near="b")["endpoints"]
    seen = {e["locality"]["zone"]: (e.get("priority", 0), len(e["lb_endpoints"])) for e in found}
    assert seen == {"a": (1, 2), "b": (0, 1)}


def test_without_the_near_zone_the_others_come_first() -> None:
    found = assignment("products", [Pipe(path="/s/0")], ["a"], near="b")["endpoints"]
    assert [e.get("priority", 0) for e in found] == [0]


def test_one_zone_is_not_mentioned() -> None:
    planned = plan(PAIR, Target(replicas={"products": 2}))
    assert planned.service("products").zones == ()
    text = endpoints("products", [Pipe(path="/s/0")], planned.service("products").zones).text
    assert "locality" not in json.dumps(json.loads(text))


@pytest.mark.parametrize(("critical", "stream"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_critical_and_streams_are_not_shed_and_the_critical_goes_first(*, critical: bool, stream: bool) -> None:
    told = Edge(stream=Stream() if stream else None)
    declared = replace(endpoint("watch", "GET", "/watch"), critical=critical, edge=told)
    shed = replace(service("news", declared), traffic=Traffic(shed=Shedding()))
    planned = plan(System(name="s", services=(shed,)), Target())
    files = {a.path: json.loads(a.text) for a in compile_mesh(planned, layout_for(planned, root="/r"))}
    (route,) = files["rds/inbound.news.json"]["resources"][0]["virtual_hosts"][0]["routes"]
    assert (route["route"].get("priority") == "HIGH") is critical
    unshed = route["typed_per_filter_config"].get("envoy.filters.http.adaptive_concurrency", {}).get("disabled", False)
    assert unshed is (critical or stream)


@pytest.mark.parametrize(("interval", "again"), [(30.0, "1s"), (0.5, "0.5s")])
def test_a_replica_that_is_not_ready_is_asked_again_soon_however_seldom_the_others_are(
    interval: float, again: str
) -> None:
    checked = replace(service("a"), traffic=Traffic(health=HealthCheck(interval=interval)))
    planned = plan(System(name="s", services=(checked,)), Target())
    files = {a.path: json.loads(a.text) for a in compile_mesh(planned, layout_for(planned, root="/r"))}
    clusters = {cluster["name"]: cluster for cluster in files["cds/clusters.json"]["resources"]}
    assert clusters["a"]["health_checks"][0]["unhealthy_interval"] == again
