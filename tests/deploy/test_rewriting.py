"""Paths that are others inside, versions by header, and versions by name: as far as a route can say it."""

from typing import Any

import msgspec
import pytest

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Environment, Mesh, Second
from shoal.model.edge import Edge
from shoal.model.shaping import Headers, Transform
from shoal.model.system import System
from shoal.model.versioning import Version
from tests.deploy.samples import CAFE, Document, endpoint, objects, of_kind, scope_of, written


def with_endpoints(*more: Any) -> System:
    menu = msgspec.structs.replace(CAFE.services[1], endpoints=(*CAFE.services[1].endpoints, *more))
    return msgspec.structs.replace(CAFE, services=(menu, CAFE.services[0]))


def rules(system: System, mesh: Mesh = "istio") -> list[Document]:
    found = objects(written(system, Environment(name="dev", mesh=mesh)))
    outside = [r["spec"] for r in of_kind(found, "HTTPRoute") if r["spec"]["parentRefs"] == [{"name": "edge"}]]
    return [rule for route in outside for rule in route["rules"]]


def rewritten(rule: Document) -> Document:
    return next((one["urlRewrite"]["path"] for one in rule["filters"] if one["type"] == "URLRewrite"), {})


def moved(name: str, outside: str, inside: str) -> Any:
    return endpoint(name, "GET", inside, edge=Edge(transform=Transform(path=outside)))


def test_a_whole_path_is_replaced() -> None:
    system = with_endpoints(moved("today", "/cakes/today", "/inside/today"))
    for mesh in ("istio", "linkerd", "none"):
        (rule,) = (one for one in rules(system, mesh) if rewritten(one))
        assert rewritten(rule) == {"type": "ReplaceFullPath", "replaceFullPath": "/inside/today"}
        assert [one["path"] for one in rule["matches"]] == [{"type": "Exact", "value": "/cakes/today"}]


def test_the_beginning_of_a_template_is_replaced_where_a_policy_refuses_the_rest() -> None:
    system = with_endpoints(moved("piece", "/cakes/{cake}/pieces/{n}", "/inside/of/{cake}/pieces/{n}"))
    (rule,) = (one for one in rules(system) if rewritten(one))
    assert rewritten(rule) == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/inside/of"}
    assert [one["path"] for one in rule["matches"]] == [{"type": "PathPrefix", "value": "/cakes"}]
    assert not [one for one in rules(system, "linkerd") if rewritten(one)]


@pytest.mark.parametrize(
    ("outside", "inside", "beside"),
    [
        ("/cakes/{cake}/now", "/inside/{cake}", ""),
        ("/{cake}", "/inside/{cake}", ""),
        ("/cakes/{cake}", "/{cake}", ""),
        ("/cakes/{cake}/{n}", "/inside/{n}/{cake}", ""),
        ("/cakes/{cake}", "/inside/{cake}", "/cakes/{cake}/pieces"),
        ("/cakes/{cake}", "/inside/{cake}", "/{any}/{cake}"),
    ],
)
def test_what_no_rule_can_rewrite_is_said(outside: str, inside: str, beside: str) -> None:
    more = [endpoint("beside", "GET", beside)] if beside else []
    system = with_endpoints(moved("cake", outside, inside), *more)
    found = {f.code: f for f in findings(scope_of(system, Environment(name="dev")))}
    assert found["DEPLOY-EDGE-04"].where == "cafe/cake.py:7"
    assert not [one for one in rules(system) if rewritten(one)]


def versions() -> System:
    one, two = (Edge(version=Version(number=n, path="/cakes/{cake}")) for n in (1, 2))
    return with_endpoints(
        endpoint("one", "GET", "/v1/cakes/{cake}", edge=one), endpoint("two", "GET", "/v2/cakes/{cake}", edge=two)
    )


def test_a_header_chooses_a_version_and_who_names_none_gets_the_lowest() -> None:
    found = {
        str(one["matches"][0].get("headers")): rewritten(one)["replacePrefixMatch"]
        for one in rules(versions())
        if rewritten(one)
    }
    asked = [f"[{{'name': 'api-version', 'value': '{n}'}}]" for n in "12"]
    assert found == {asked[0]: "/v1/cakes", asked[1]: "/v2/cakes", "None": "/v1/cakes"}
    for rule in rules(versions()):
        (told,) = (one["responseHeaderModifier"] for one in rule["filters"] if "responseHeaderModifier" in one)
        assert (told.get("add") == [{"name": "Vary", "value": "api-version"}]) == bool(rewritten(rule))


def test_a_version_that_there_is_not_is_nobodys() -> None:
    documents = objects(written(versions(), Environment(name="dev")))
    (policy,) = (one for one in of_kind(documents, "AuthorizationPolicy") if one["metadata"]["name"] == "edge")
    asked = [
        (rule["when"][0].get("values"), rule["when"][0].get("notValues"))
        for rule in policy["spec"]["rules"]
        if "/cakes/{*}" in [path for to in rule["to"] for path in to["operation"].get("paths", ())]
    ]
    assert {str(one) for one in asked} == {"(['1'], None)", "(['2'], None)", "(None, ['*'])"}
    other = findings(scope_of(versions(), Environment(name="dev", mesh="linkerd")))
    assert "DEPLOY-EDGE-04" in [one.code for one in other]


@pytest.mark.parametrize("override", ["nobody", "anyone"])
def test_a_header_names_a_second_version_where_that_is_asked_for(override: Any) -> None:
    second = Second(version="2.0.0", weight=10, override=override)
    texts = written(CAFE, Environment(name="p", splits={"menu": second}))
    assert ("shoal-version\n              value: canary" in texts["overlays/p/menu-calls.yaml"]) == (
        override == "anyone"
    )


def test_headers_that_no_filter_has_room_for_are_said() -> None:
    many = Headers(remove=tuple(f"x-{n}" for n in range(12)))
    system = with_endpoints(
        endpoint("few", "GET", "/few"),
        endpoint("many", "GET", "/many", edge=Edge(transform=Transform(request=many, response=many))),
        endpoint(
            "more",
            "GET",
            "/more",
            edge=Edge(transform=Transform(response=Headers(remove=tuple(f"x-{n}" for n in range(15))))),
        ),
    )
    for kind, named in (("istio", {"/many"}), ("eg", {"/many", "/few", "/more", "/menu"})):
        environment = Environment(name="dev", gateway_class=kind)
        said = [f.message for f in findings(scope_of(system, environment)) if f.code == "DEPLOY-EDGE-14"]
        assert named <= {one.rpartition(" ")[2] for one in said}, kind
        assert (kind == "istio") == (len(said) == 1)
    assert "x-14" in next(f.message for f in findings(scope_of(system)) if f.code == "DEPLOY-EDGE-17")
