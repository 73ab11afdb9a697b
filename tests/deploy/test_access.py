"""What the policies let in is what the plan grants, to the letter: asked of all meshes' rules, path by path."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.linkerd import besides
from shoal.deploy.kubernetes.linkerd.render import PROBED
from shoal.deploy.kubernetes.settings import Environment, Mesh
from shoal.mesh.routes import in_order
from shoal.model.plan import Grant, Plan
from shoal.model.service import Access
from shoal.model.system import System
from tests.deploy.samples import CAFE, INTERNAL, Document, endpoint, objects, of_kind, scope_of, shop, written
from tests.model.strategies import systems

ISTIO: tuple[Mesh, ...] = ("istio", "istio-ambient")


def istio_allows(policy: Document, caller: str, method: str, path: str) -> bool:
    """Judge as Istio does: a rule is met when its source and one of its operations are."""
    for rule in policy["spec"].get("rules", ()):
        known = [p for source in rule.get("from", ()) for p in source["source"].get("principals", ())]
        if known and caller not in known:
            continue
        for to in rule.get("to", ()):
            asked = to["operation"]
            fits = [matches(template, path) for template in asked.get("paths", ())]
            spared = [matches(template, path) for template in asked.get("notPaths", ())]
            if method in asked.get("methods", ()) and (not fits or any(fits)) and not any(spared):
                return True
    return False


def matches(template: str, path: str) -> bool:
    return (
        re.fullmatch("/".join("[^/]+" if part == "{*}" else re.escape(part) for part in template.split("/")), path)
        is not None
    )


def granted(grants: tuple[Grant, ...], caller: str, method: str, path: str) -> bool:
    """Judge as the laptop's mesh does: the closest template decides, alone."""
    for grant in in_order(grants):
        if grant.method == method and re.fullmatch(paths.expression(grant.path), path):
            return caller in grant.callers
    return False


def asked_of(grants: tuple[Grant, ...]) -> list[str]:
    """Make up paths: each template with a word that no other has, and with the words of all others."""
    words = {part for grant in grants for part in grant.path.split("/") if part and not part.startswith("{")} | {"zz"}
    return sorted(
        {re.sub(r"\{[^}]*\}", word, grant.path) for grant in grants for word in words}
        | {"/", "/health", "/metrics", "/zz/zz/zz/zz"}
    )


def principal(system: str, identity: str) -> str:
    name = identity.rpartition("/")[2]
    return f"cluster.local/ns/{system}/sa/{'edge-istio' if name == 'gateway' else name}"


def disagreements(plan: Plan, documents: list[Document]) -> list[str]:
    policies = {p["metadata"]["name"]: p for p in of_kind(documents, "AuthorizationPolicy")}
    return [
        f"{identity} {method} {path} of {service.name}"
        for service in plan.services
        for path in asked_of(service.grants)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        for identity in identities(plan)
        if istio_allows(policies[service.name], principal(plan.system.name, identity), method, path)
        != granted(service.grants, identity, method, path)
    ]


@pytest.mark.parametrize("mesh", ISTIO)
def test_istio_lets_in_whom_the_plan_grants(mesh: Mesh) -> None:
    environment = Environment(name="dev", mesh=mesh)
    for system in (CAFE, shop()):
        assert not disagreements(scope_of(system, environment).plan, objects(written(system, environment)))


@given(systems(), st.sampled_from(ISTIO))
@settings(max_examples=25, deadline=None)
def test_istio_lets_in_whom_any_plan_grants(system: System, mesh: Mesh) -> None:
    environment = Environment(name="dev", mesh=mesh)
    assert not disagreements(scope_of(system, environment).plan, objects(written(system, environment)))


def test_a_template_opens_no_literal_beside_it() -> None:
    (policy,) = (p for p in of_kind(objects(written(CAFE)), "AuthorizationPolicy") if p["metadata"]["name"] == "till")
    edge, menu = "cluster.local/ns/cafe/sa/edge-istio", "cluster.local/ns/cafe/sa/menu"
    assert istio_allows(policy, edge, "GET", "/sales/7")
    assert not istio_allows(policy, edge, "GET", "/sales/today")
    assert istio_allows(policy, menu, "GET", "/sales/today")
    assert not istio_allows(policy, menu, "GET", "/sales/7")
    assert not istio_allows(policy, edge, "GET", "/metrics")


@pytest.mark.parametrize("mesh", ISTIO)
def test_nobody_is_let_in_by_default_and_nobody_speaks_in_clear(mesh: Mesh) -> None:
    documents = objects(written(CAFE, Environment(name="dev", mesh=mesh)))
    (deny,) = (p for p in of_kind(documents, "AuthorizationPolicy") if p["metadata"]["name"] == "default-deny")
    assert deny["spec"] == {}
    (default,) = (p for p in of_kind(documents, "PeerAuthentication") if p["metadata"]["name"] == "default")
    assert default["spec"] == {"mtls": {"mode": "STRICT"}}


def test_without_proxies_in_pods_nobody_passes_by_the_waypoint() -> None:
    documents = objects(written(CAFE, Environment(name="dev", mesh="istio-ambient")))
    for name in ("till", "menu"):
        (only,) = (
            p for p in of_kind(documents, "AuthorizationPolicy") if p["metadata"]["name"] == f"{name}-by-waypoint"
        )
        assert only["spec"]["rules"] == [{"from": [{"source": {"principals": ["cluster.local/ns/cafe/sa/waypoint"]}}]}]
        assert only["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == name


def test_only_services_are_behind_the_waypoint_since_servers_ask_who_calls() -> None:
    documents = objects(written(CAFE, Environment(name="dev", mesh="istio-ambient")))
    behind = {
        s["metadata"]["name"]
        for s in of_kind(documents, "Service", "Namespace")
        if "istio.io/use-waypoint" in s["metadata"]["labels"]
    }
    assert behind == {"till", "menu"}
    (policy,) = (p for p in of_kind(documents, "AuthorizationPolicy") if p["metadata"]["name"] == "nats")
    assert "cafe/sa/till" in repr(policy)
    assert "waypoint" not in repr(policy)


def linkerd_disagreements(system: System) -> list[str]:
    """Judge as Linkerd does, without believing the order of routes: all that fit a request must let in the same."""
    environment = Environment(name="dev", mesh="linkerd")
    documents, plan = objects(written(system, environment)), scope_of(system, environment).plan
    kinds = ("MeshTLSAuthentication", "NetworkAuthentication")
    known = {(d["kind"], d["metadata"]["name"]): d["spec"] for d in of_kind(documents, *kinds)}
    allowed: dict[str, set[str]] = {}
    for policy in (p["spec"] for p in of_kind(documents, "AuthorizationPolicy")):
        (asked,) = policy["requiredAuthenticationRefs"]
        found = known[asked["kind"], asked["name"]]
        allowed[policy["targetRef"]["name"]] = {one["name"] for one in found.get("identityRefs", [{"name": "*"}])}
    listed = [
        (route["spec"]["parentRefs"][0]["name"], match, allowed.get(route["metadata"]["name"], set()))
        for route in of_kind(documents, "HTTPRoute")
        if route["apiVersion"].startswith("policy.linkerd.io")
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    ]
    found_ = []
    for service in plan.services:
        own = [(match, who) for server, match, who in listed if server == service.name]
        names = {i: "edge-istio" if i.endswith("/gateway") else i.rpartition("/")[2] for i in identities(plan)}
        for path in asked_of(service.grants):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                fitting = [who for match, who in own if match["method"] == method and fits(match["path"], path)]
                for identity, name in names.items():
                    answers = {name in who or "*" in who for who in fitting} or {False}
                    wanted = granted(service.grants, identity, method, path) or (method == "GET" and path in PROBED)
                    found_ += [f"{name} {method} {path} of {service.name}"] if answers != {wanted} else []
    return found_


def fits(match: Document, path: str) -> bool:
    return match["value"] == path if match["type"] == "Exact" else bool(re.fullmatch(match["value"], path))


def identities(plan: Plan) -> list[str]:
    return [plan.gateway_identity, *(service.identity for service in plan.services), "spiffe://elsewhere/stranger"]


def test_linkerd_lets_in_whom_the_plan_grants_in_whatever_order() -> None:
    for system in (CAFE, shop()):
        assert not linkerd_disagreements(system)
    documents = objects(written(CAFE, Environment(name="dev", mesh="linkerd")))
    assert {s["spec"]["accessPolicy"] for s in of_kind(documents, "Server")} == {"deny"}


@given(systems())
@settings(max_examples=15, deadline=None)
def test_linkerd_lets_in_whom_any_plan_grants(system: System) -> None:
    assert not linkerd_disagreements(system)


@given(st.sets(st.text("abc.", min_size=1, max_size=4), min_size=1, max_size=4), st.text("abc.%", max_size=5))
def test_neither_of_some_words(words: set[str], segment: str) -> None:
    before, escaped, _ = segment.partition("%")
    wanted = bool(segment) and segment not in words and not (escaped and any(w.startswith(before) for w in words))
    assert bool(re.fullmatch(besides.neither(words), segment)) == wanted


@given(
    st.lists(st.lists(st.sampled_from(["{x}", "a", "b"]), min_size=3, max_size=3), max_size=3),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=3, max_size=3),
)
def test_a_template_fits_nothing_that_lies_beside_it(others: list[list[str]], segments: list[str]) -> None:
    written_ = besides.expression("{x}/{y}/{z}", ["/".join(one) for one in others])
    taken = any(all(o in ("{x}", s) for o, s in zip(one, segments, strict=True)) for one in others)
    assert bool(written_ and re.fullmatch(written_, "/".join(segments))) != taken


def test_the_door_asks_what_endpoints_ask() -> None:
    (policy,) = (p for p in of_kind(objects(written(CAFE)), "AuthorizationPolicy") if p["metadata"]["name"] == "edge")
    by_role, by_anyone = (
        next(
            r
            for r in policy["spec"]["rules"]
            if path in [p for to in r["to"] for p in to["operation"].get("paths", ())]
        )
        for path in ("/sales", "/menu")
    )
    assert by_role["from"] == [{"source": {"requestPrincipals": ["https://cafe.example/*"]}}]
    assert by_role["when"] == [{"key": "request.auth.claims[roles]", "values": ["waiter"]}]
    assert "from" not in by_anyone
    assert not [to for r in policy["spec"]["rules"] for to in r["to"] if "/prices" in to["operation"].get("paths", ())]
    assert Access(kind="internal") in [e.access for s in CAFE.services for e in s.endpoints if e.path == "/prices"]


@pytest.mark.parametrize(
    ("path", "code", "severity"),
    [
        ("/prices/any*", "DEPLOY-MESH-10", "error"),
        ("/prices/all:now", "DEPLOY-MESH-13", "warning"),
        ("/prices/all", "", ""),
    ],
)
def test_a_path_that_a_policy_could_read_otherwise_is_said(path: str, code: str, severity: str) -> None:
    odd = (endpoint("one", "GET", path), endpoint("other", "GET", "/prices/{cake}", INTERNAL))
    menu = msgspec.structs.replace(CAFE.services[1], endpoints=(*CAFE.services[1].endpoints, *odd))
    found = findings(scope_of(msgspec.structs.replace(CAFE, services=(menu, CAFE.services[0]))))
    said = [(f.code, f.severity) for f in found if f.code in ("DEPLOY-MESH-10", "DEPLOY-MESH-13")]
    assert said[:1] == ([(code, severity)] if code else [])
