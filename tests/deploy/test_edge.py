"""The door leads to what is exposed, answers preflights, and keeps to what Gateway API takes."""

from collections import Counter

import msgspec

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Environment
from shoal.model.access import Access
from shoal.model.cors import Cors
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit
from shoal.model.service import Policy
from shoal.model.shaping import Transform
from tests.deploy.samples import ANYONE, CAFE, Document, endpoint, objects, of_kind, scope_of, shop, written

DEV = Environment(name="dev")


def routes(documents: list[Document]) -> list[Document]:
    return [r["spec"] for r in of_kind(documents, "HTTPRoute") if r["spec"]["parentRefs"] == [{"name": "edge"}]]


def matches(found: list[Document]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (f"{route.get('hostnames')} {match.get('headers')}", match["method"], match["path"]["value"])
        for route in found
        for rule in route["rules"]
        for match in rule["matches"]
    )


def test_every_exposed_operation_has_one_match_and_no_other_has_any() -> None:
    found = {(method, path) for _, method, path in matches(routes(objects(written(CAFE, DEV))))}
    assert found == {
        ("POST", "/sales"),
        ("GET", "/sales/[^/]+"),
        ("GET", r"/.well-known/jwks.json"),
        ("GET", "/menu"),
    }


def test_each_path_answers_preflights_once_where_pages_of_others_may_call() -> None:
    found = matches(routes(objects(written(shop(), DEV))))
    assert set(found.values()) == {1}
    paths_of = {(host, path) for host, method, path in found if method != "OPTIONS"}
    assert {(host, path) for host, method, path in found if method == "OPTIONS"} == paths_of
    assert not [m for m in matches(routes(objects(written(CAFE, DEV)))) if m[1] == "OPTIONS"]


def test_many_operations_are_parted_into_routes_that_gateways_take() -> None:
    many = tuple(endpoint(f"e{n}", "GET", f"/{n}/{{id}}", policy=Policy(timeout=1 + n % 20)) for n in range(150))
    services = (
        msgspec.structs.replace(CAFE.services[1], endpoints=(*CAFE.services[1].endpoints, *many)),
        CAFE.services[0],
    )
    gateway = msgspec.structs.replace(CAFE.gateway, cors=Cors(origins=("https://cafe.example",)))
    found = routes(objects(written(msgspec.structs.replace(CAFE, services=services, gateway=gateway), DEV)))
    assert len(matches(found)) > 300
    for route in found:
        sizes = [len(rule["matches"]) for rule in route["rules"]]
        assert len(sizes) <= 16
        assert max(sizes) <= 64
        assert sum(sizes) <= 128


def test_operations_that_are_treated_alike_share_a_rule() -> None:
    (users,) = (r for r in of_kind(objects(written(shop(), DEV)), "HTTPRoute") if r["metadata"]["name"] == "users")
    treated = [{name: value for name, value in rule.items() if name != "matches"} for rule in users["spec"]["rules"]]
    assert len(treated) > 1
    assert not [one for one in treated if treated.count(one) > 1]


def test_time_and_repeats_are_those_that_are_declared() -> None:
    rules = [rule for route in routes(objects(written(CAFE, DEV))) for rule in route["rules"]]
    (shown,) = (r for r in rules if "/sales/[^/]+" in [m["path"]["value"] for m in r["matches"]])
    assert (shown["timeouts"], shown["retry"]) == (
        {"request": "2s"},
        {"attempts": 1, "backoff": "200ms", "codes": [503]},
    )
    (sold,) = (r for r in rules if "/sales" in [m["path"]["value"] for m in r["matches"]])
    assert "retry" not in sold


def test_what_the_door_cannot_do_is_said_with_its_place() -> None:
    odd = (
        endpoint("counted", "GET", "/counted", edge=Edge(limit=RateLimit(requests=1))),
        endpoint("moved", "GET", "/inside/{x}", edge=Edge(transform=Transform(path="/outside/{x}/now"))),
        endpoint("large", "POST", "/large", edge=Edge(largest=1, compress=True)),
        endpoint("one", "GET", "/a/{x}/c", Access(kind="anyone")),
        endpoint("other", "GET", "/a/b/{y}", ANYONE),
    )
    menu = msgspec.structs.replace(CAFE.services[1], endpoints=(*CAFE.services[1].endpoints, *odd))
    system = msgspec.structs.replace(CAFE, services=(menu, CAFE.services[0]))
    found = {f.code: f for f in findings(scope_of(system, DEV))}
    assert {f"DEPLOY-EDGE-{n}" for n in ("01", "04", "05", "07", "08")} <= found.keys()
    assert found["DEPLOY-EDGE-05"].where == "cafe/counted.py:7"
    assert "/a/b/{y}" in found["DEPLOY-EDGE-01"].message
    assert not [m for m in matches(routes(objects(written(system, DEV)))) if "side" in m[2]]


def test_durations_are_spelled_as_gateways_read_them() -> None:
    spelled = [paths.milliseconds(s) for s in (0.0001, 0.25, 1, 2.5, 3600)]
    assert spelled == ["1ms", "250ms", "1s", "2s500ms", "3600s"]
