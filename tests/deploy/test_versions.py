"""Second versions get their part of the requests, copies change nothing, and faults strike whom they name."""

from typing import Any

import msgspec
import pytest
import yaml

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Environment, Mesh, Second, Strike
from shoal.model.edge import Edge
from shoal.model.shaping import Headers, Transform
from tests.deploy.samples import CAFE, MENU, TILL, Document, endpoint, objects, of_kind, scope_of, written

CALLS = "overlays/p/menu-calls.yaml"


def environment(mesh: Mesh = "istio", **more: Any) -> Environment:
    return Environment(name="p", registry="registry.example/team", mesh=mesh, **more)


def patches(asked: Environment) -> dict[str, Document]:
    texts = written(CAFE, asked)
    assert {"path": "menu-calls.yaml"} in yaml.safe_load(texts["overlays/p/kustomization.yaml"])["patches"]
    return {one["kind"]: one["spec"] for one in yaml.safe_load_all(texts[CALLS])}


def test_a_second_version_runs_beside_the_stable_one_and_is_told_from_it() -> None:
    documents = objects(written(CAFE, environment(splits={"menu": Second(version="2.0.0", weight=10, replicas=2)})))
    deployments = {d["metadata"]["name"]: d["spec"] for d in of_kind(documents, "Deployment")}
    second, stable = deployments["menu-canary"], deployments["menu"]
    assert second["replicas"] == 2
    assert second["template"]["spec"]["containers"][0]["image"] == "registry.example/team/cafe/menu:2.0.0"
    for one, other in ((second, stable), (stable, second)):
        assert one["selector"]["matchLabels"].items() <= one["template"]["metadata"]["labels"].items()
        assert not one["selector"]["matchLabels"].items() <= other["template"]["metadata"]["labels"].items()
    names = {s["metadata"]["name"]: s["spec"]["selector"] for s in of_kind(documents, "Service")}
    for name, version in (("menu-stable", "stable"), ("menu-canary", "canary")):
        assert names[name] == {**names["menu"], "shoal.dev/version": version}
    assert {"menu-stable", "menu-canary"} <= {d["spec"]["host"] for d in of_kind(documents, "DestinationRule")}


def test_requests_are_divided_at_the_gateway_and_among_services() -> None:
    found = patches(environment(splits={"menu": Second(version="2.0.0", weight=10)}))
    assert {(b["name"], b["weight"]) for r in found["HTTPRoute"]["rules"] for b in r["backendRefs"]} == {
        ("menu-stable", 90),
        ("menu-canary", 10),
    }
    for rule in found["VirtualService"]["http"]:
        assert [(r["destination"]["host"], r["weight"]) for r in rule["route"]] == [
            ("menu-stable", 90),
            ("menu-canary", 10),
        ]


def test_without_proxies_in_pods_the_waypoint_divides() -> None:
    texts = written(CAFE, environment("istio-ambient", splits={"menu": Second(version="2.0.0", weight=10)}))
    (route,) = yaml.safe_load_all(texts[CALLS])
    assert route["metadata"]["name"] == "menu-inside"
    assert {b["name"] for r in route["spec"]["rules"] for b in r["backendRefs"]} == {"menu-stable", "menu-canary"}


@pytest.mark.parametrize("count", [0, 6, 20])
def test_the_waypoint_hears_which_version_is_asked_for_whatever_else_is_taken_away(count: int) -> None:
    removed = Headers(remove=("shoal-version", *(f"x-{number}" for number in range(count - 1)))[:count])
    read = endpoint("read", "GET", "/menu", edge=Edge(transform=Transform(request=removed)))
    system = msgspec.structs.replace(
        CAFE, services=(TILL, msgspec.structs.replace(MENU, endpoints=(read, *MENU.endpoints[1:])))
    )
    second = Second(version="2.0.0", weight=10, override="anyone")
    texts = written(system, environment("istio-ambient", splits={"menu": second}))
    routes = {one["metadata"]["name"]: one for one in yaml.safe_load_all(texts[CALLS])}
    rules = [rule for one in routes.values() for rule in one["spec"]["rules"]]
    filters = [one for rule in rules for one in rule.get("filters", ())]
    filters += [one for rule in rules for ref in rule["backendRefs"] for one in ref.get("filters", ())]
    taken = {name for one in filters for name in one.get("requestHeaderModifier", {}).get("remove", ())}
    assert "forwarded" in taken
    assert "shoal-version" not in taken


def test_copies_are_made_of_what_changes_nothing() -> None:
    asked = environment(splits={"till": Second(version="2.0.0", mirror=50)})
    route, virtual = yaml.safe_load_all(written(CAFE, asked)["overlays/p/till-calls.yaml"])
    for rule in route["spec"]["rules"]:
        is_copied = any(f["type"] == "RequestMirror" for f in rule["filters"])
        assert {m["method"] == "GET" for m in rule["matches"]} == {is_copied}
        assert [b["name"] for b in rule["backendRefs"]] == ["till-stable"]
    for rule in virtual["spec"]["http"]:
        assert {m["method"]["exact"] == "GET" for m in rule["match"]} == {"mirrors" in rule}


def test_a_fault_strikes_whom_it_names_before_anything_else() -> None:
    strikes = (Strike(caller="till", callee="menu", endpoint="prices", delay=2.5, abort=503, percent=10),)
    first, *rest = patches(environment(faults=strikes))["VirtualService"]["http"]
    assert first["match"] == [
        {
            "method": {"exact": "GET"},
            "uri": {"exact": "/prices"},
            "sourceLabels": {"app.kubernetes.io/name": "till", "app.kubernetes.io/part-of": "cafe"},
        }
    ]
    share = {"value": 10}
    assert first["fault"] == {
        "delay": {"percentage": share, "fixedDelay": "2s500ms"},
        "abort": {"percentage": share, "httpStatus": 503},
    }
    assert not [rule for rule in rest if "fault" in rule]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (environment(splits={"moon": Second(version="1")}), "DEPLOY-SPLIT-01"),
        (environment("linkerd", splits={"menu": Second(version="1", weight=1)}), "DEPLOY-SPLIT-02"),
        (environment(faults=(Strike(caller="menu", callee="moon", abort=500),)), "DEPLOY-FAULT-01"),
        (environment(faults=(Strike(caller="till", callee="menu", endpoint="read", abort=500),)), "DEPLOY-FAULT-01"),
        (environment("linkerd", faults=(Strike(caller="till", callee="menu", abort=500),)), "DEPLOY-FAULT-02"),
        (environment(faults=(Strike(caller="gateway", callee="menu", abort=500),)), "DEPLOY-FAULT-02"),
    ],
)
def test_what_cannot_be_done_is_said(asked: Environment, code: str) -> None:
    assert code in [finding.code for finding in findings(scope_of(CAFE, asked))]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Second(version="1", weight=101), "101 percent"),
        (lambda: Second(version="1", name="stable"), "cannot be called stable"),
        (lambda: Second(version="1", replicas=0), "replicas are 1 to 1000"),
        (lambda: Strike(caller="a", callee="b"), "does nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
