"""Takeovers as routes: whose path counts, what each side is sent, and what it costs to decide."""

import json
from typing import Any

import msgspec
import pytest

from shoal.mesh import manager, routes
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from shoal.model.cors import Cors
from shoal.model.edge import Edge
from shoal.model.legacy import Legacy, LegacyRoute, State, Turn
from shoal.model.plan import plan
from shoal.model.service import Endpoint
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.system import Gateway, System
from shoal.model.takeover import takeovers
from shoal.model.target import Target
from shoal.model.versioning import Version
from tests.mesh.samples import endpoint, service

NEW_QUERY = Query(set={"new": "1"})
SHAPED = Transform(path="/coupons/{code}", request=Headers(set={"x-new": "1"}), query=NEW_QUERY)


def public(path: str) -> Endpoint:
    moved = Edge(transform=Transform(path=path))
    return msgspec.structs.replace(endpoint("list", "GET", "/coupons"), edge=moved)


def numbered(number: int) -> Endpoint:
    version = Edge(version=Version(number=number, path="/coupons/{code}"))
    return msgspec.structs.replace(endpoint(f"get{number}", "GET", f"/v{number}/coupons/{{code}}"), edge=version)


def system(*endpoints: Endpoint, **gateway: Any) -> System:
    old_ones = (LegacyRoute(name="list", path="/coupons"), LegacyRoute(name="one", path="/coupons/{code}"))
    old = Legacy(name="old", port=1, routes=old_ones)
    return System(name="s", services=(service("new", *endpoints),), gateway=Gateway(legacy=(old,), **gateway))


SHAPED_ONE = system(msgspec.structs.replace(endpoint("one", "GET", "/vouchers/{code}"), edge=Edge(transform=SHAPED)))
NUMBERED = system(numbered(1), numbered(2))


def compiled(system: System, state: State = "record", weight: float = 0.0) -> dict[str, Any]:
    planned = plan(system, Target(turns={"one": Turn(state=state, weight=weight)}))
    return {a.path: json.loads(a.text) for a in compile_mesh(planned, layout_for(planned, root="/r"))}


def edge(files: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = files["rds/edge.json"]["resources"][0]["virtual_hosts"][0]["routes"]
    return found


def takers(files: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Find the routes that send requests for a path on, in their order."""
    wanted = routes.matches_path(path).items()
    sent = [r for r in edge(files) if "cluster" in r.get("route", {}) and not r["name"].startswith("preflight")]
    return [r for r in sent if all(r["match"].get(key) == value for key, value in wanted)]


def test_an_old_path_stays_when_the_new_service_is_public_elsewhere() -> None:
    moved = system(public("/beta/coupons"))
    assert [one.service for one in takeovers(moved, Target())] == ["", ""]
    planned = plan(moved, Target())
    files = {a.path: json.loads(a.text) for a in compile_mesh(planned, layout_for(planned, root="/r"))}
    assert [r["route"]["cluster"] for r in takers(files, "/coupons")] == ["legacy.old"]
    assert [r["route"]["cluster"] for r in takers(files, "/beta/coupons")] == ["gateway.new"]


@pytest.mark.parametrize(
    ("declared", "by"), [(SHAPED_ONE, "new.one"), (NUMBERED, "new.get1")], ids=["transform", "version"]
)
def test_what_clients_ask_for_takes_over(declared: System, by: str) -> None:
    found = {one.route.name: f"{one.service}.{one.endpoint}" for one in takeovers(declared, Target())}
    assert found == {"list": ".", "one": by}


@pytest.mark.parametrize("declared", [SHAPED_ONE, NUMBERED], ids=["transform", "version"])
@pytest.mark.parametrize("state", ["record", "shadow"])
def test_while_the_old_application_answers_it_has_the_path_alone(declared: System, state: State) -> None:
    (found,) = takers(compiled(declared, state), "/coupons/{code}")
    assert found["route"]["cluster"] == "legacy.old"
    assert [h["name"] for h in found["match"]["headers"]] == [":method"]


@pytest.mark.parametrize("declared", [SHAPED_ONE, NUMBERED], ids=["transform", "version"])
def test_only_the_new_side_of_a_shift_is_rewritten(declared: System) -> None:
    found = takers(compiled(declared, "shift", 10), "/coupons/{code}")
    for new, old in zip(found[::2], found[1::2], strict=True):
        assert (new["route"]["cluster"], old["route"]["cluster"]) == ("gateway.new", "legacy.old")
        drawn = new["match"].pop("runtime_fraction")
        assert drawn["default_value"] == {"numerator": 100_000, "denominator": "MILLION"}
        assert new["match"] == old["match"]
        assert "regex_rewrite" in new["route"]
        assert "regex_rewrite" not in old["route"]
        assert "request_headers_to_add" not in old
        assert old["stat_prefix"] == new["stat_prefix"] == "takeover-one"


@pytest.mark.parametrize(("state", "weight"), [("shift", 100.0), ("done", 0.0)])
def test_in_the_end_the_service_answers_alone(state: State, weight: float) -> None:
    found = takers(compiled(SHAPED_ONE, state, weight), "/coupons/{code}")
    assert [r["route"]["cluster"] for r in found] == ["gateway.new"]
    assert "runtime_fraction" not in found[0]["match"]


def test_the_new_side_of_a_comparison_is_asked_as_the_edge_would_ask() -> None:
    listeners = {one["name"]: one for one in compiled(SHAPED_ONE, "shadow")["lds/listeners.json"]["resources"]}
    manager_ = listeners["parity"]["filter_chains"][0]["filters"][0]["typed_config"]
    assert "shoal.query" in [one["name"] for one in manager_["http_filters"]]
    sides = {r["name"]: r for r in manager_["route_config"]["virtual_hosts"][0]["routes"]}
    assert list(sides) == ["legacy one", "new one"]
    assert "regex_rewrite" in sides["new one"]["route"]
    assert sides["new one"]["request_headers_to_add"][0]["header"] == {"key": "x-new", "value": "1"}
    assert list(sides["new one"]["typed_per_filter_config"]) == ["shoal.query"]
    assert sides["legacy one"]["route"].keys() == {"cluster", "timeout"}


def test_browsers_may_ask_for_every_path_that_is_served() -> None:
    cors = Cors(origins=("https://shop.example",))
    files = compiled(system(numbered(1), endpoint("add", "POST", "/baskets"), cors=cors))
    asked = {r["name"]: r["route"]["cluster"] for r in edge(files) if r["name"].startswith("preflight")}
    assert asked == {
        "preflight /baskets": "gateway.new",
        "preflight /coupons": "legacy.old",
        "preflight /coupons/{code}": "gateway.new",
        "preflight /v1/coupons/{code}": "gateway.new",
    }
    host = files["rds/edge.json"]["resources"][0]["virtual_hosts"][0]
    assert host["typed_per_filter_config"]["envoy.filters.http.cors"]["allow_methods"] == "GET, POST"


def test_browsers_may_use_the_methods_of_old_applications() -> None:
    old = Legacy(name="old", port=1, routes=(LegacyRoute(name="drop", method="DELETE", path="/old/{page}"),))
    gateway = Gateway(legacy=(old,), cors=Cors(origins=("https://shop.example",)))
    files = compiled(System(name="s", services=(service("new", endpoint("a", "GET", "/a")),), gateway=gateway))
    host = files["rds/edge.json"]["resources"][0]["virtual_hosts"][0]
    assert host["typed_per_filter_config"]["envoy.filters.http.cors"]["allow_methods"] == "DELETE, GET"


def test_takeovers_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[System] = []

    def counted(system: System, target: Target) -> Any:
        asked.append(system)
        return takeovers(system, target)

    monkeypatch.setattr(manager, "takeovers", counted)
    compiled(NUMBERED, "shadow")
    assert len(asked) == 1
