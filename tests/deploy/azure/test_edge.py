"""The gateway serves what is exposed and nothing else, and does with each request what its operation asks."""

from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.edge import served
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.policies import counted
from shoal.deploy.azure.resources import Door, Operation
from shoal.model.edge import Edge
from shoal.model.issuers import Entra, OpenId
from shoal.model.limits import RateLimit
from shoal.model.only import Only
from shoal.model.service import Service
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.system import Gateway, System
from tests.deploy.azure.samples import of_kind, scope_of, shops
from tests.deploy.samples import ANYONE, PRINCIPAL, endpoint, shop

ENTRA = Entra("0000-1111", "cafe")
OTHER = OpenId(name="other", issuer="https://issuer.example", audiences=("cafe",), keys="https://issuer.example/keys")


def door(*issuers: OpenId, edge: Edge | None = None) -> Door:
    own = endpoint("sell", "POST", "/sales/{cake}", PRINCIPAL if issuers else ANYONE, edge=edge or Edge())
    till = Service(name="till", entry="cafe.till:till", endpoints=(own,), source="cafe/till.py:1")
    found = scope_of(System(name="cafe", services=(till,), gateway=Gateway(issuers=issuers)))
    return of_kind(resources(found), Door)["main"]


def policy(of: Door) -> Element:
    return fromstring(of.operations[0].policy)  # noqa: S314 - our own


def test_it_serves_what_is_exposed_and_nothing_else() -> None:
    scope = scope_of(shop())
    found = of_kind(shops(), Door)["main"]
    assert {(one.method, one.path) for one in found.operations} == {
        (route.method, route.path) for route in scope.plan.routes if route.edge.socket is None
    }
    assert len({one.name for one in found.operations}) == len(found.operations)
    for one in found.operations:
        assert fromstring(one.policy).find("inbound/set-backend-service").get("backend-id") == one.service  # type: ignore[union-attr] # noqa: S314
    assert {one.service for one in found.operations} <= {*found.services}


@pytest.mark.parametrize("issuers", [(ENTRA,), (ENTRA, OTHER)], ids=["one", "two"])
def test_tokens_of_issuers_outside_are_verified(issuers: tuple[OpenId, ...]) -> None:
    found = policy(door(*issuers)).find("inbound/validate-jwt")
    assert found is not None
    assert found.get("failed-validation-httpcode") == "401"
    assert [one.text for one in found.findall("issuers/issuer")] == [one.issuer for one in issuers]
    assert "cafe" in [one.text for one in found.findall("audiences/audience")]
    assert bool(found.findall("required-claims/claim")) == (len(issuers) == 1)


def test_what_it_cannot_verify_is_left_to_services_and_said() -> None:
    local = msgspec.structs.replace(OTHER, keys="keys/other.json")
    assert policy(door(local)).find("inbound/validate-jwt") is None
    assert policy(door(msgspec.structs.replace(OTHER, algorithms=("ES256",)))).find("inbound/validate-jwt") is None
    assert "DEPLOY-AZURE-04" in {one.code for one in findings([scope_of(shop())])}


@given(st.integers(1, 10_000), st.floats(0.05, 86_400))
def test_a_limit_lets_through_at_least_what_is_declared_in_windows_that_there_are(requests: int, per: float) -> None:
    calls, seconds = counted(RateLimit(requests=requests, per=per))
    assert 1 <= seconds <= 300
    assert calls >= requests * seconds / per - 1e-6
    assert calls < requests * seconds / per + 1


def test_a_limit_of_principals_counts_who_was_verified_and_never_what_is_said() -> None:
    limited = Edge(limit=RateLimit(requests=5))
    found = policy(door(ENTRA, edge=limited))
    key = str(found.find("inbound/rate-limit-by-key").get("counter-key"))  # type: ignore[union-attr]
    assert '((Jwt)context.Variables["token"]).Subject' in key
    assert '((Jwt)context.Variables["token"]).Issuer' in key
    assert found.find("inbound/validate-jwt").get("output-token-variable-name") == "token"  # type: ignore[union-attr]
    order = [one.tag for one in found.find("inbound") or ()]
    assert order.index("validate-jwt") < order.index("rate-limit-by-key")
    unknown = msgspec.structs.replace(OTHER, keys="keys/other.json")
    text = of_kind(shops(), Door)["main"].operations
    for one in (door(unknown, edge=limited).operations[0], *text):
        assert "Headers.GetValueOrDefault" not in str(one.policy).partition("counter-key")[2], one.name
    said = [one.message for one in findings([scope_of(shop())]) if one.code == "DEPLOY-AZURE-21"]
    assert any(one.startswith("the rate limit of POST /orders is for each address") for one in said)


def test_what_issuers_are_believed_by_is_text_and_no_expression() -> None:
    odd = msgspec.structs.replace(OTHER, audiences=("{{till}}",), required={"kind": " @(context.User.Id)"})
    found = policy(door(odd)).find("inbound/validate-jwt")
    assert found is not None
    assert found.findtext("audiences/audience") == '@("{" + "{till}}")'
    assert found.findtext("required-claims/claim/value") == '@(" @(context.User.Id)")'


@pytest.mark.parametrize(
    ("by", "key"), [("address", "IpAddress"), ("principal", "IpAddress"), ("everyone", "till.sell:everyone")]
)
def test_a_limit_counts_whom_it_is_for(by: str, key: str) -> None:
    found = policy(door(edge=Edge(limit=RateLimit(requests=5, by=by)))).find("inbound/rate-limit-by-key")  # type: ignore[arg-type]
    assert found is not None
    assert key in str(found.get("counter-key"))
    assert (found.get("calls"), found.get("renewal-period")) == ("5", "1")


def test_requests_and_answers_are_changed_as_declared() -> None:
    asked = Transform(
        path="/v1/sales/{cake}",
        request=Headers(set={"x-tier": "@(1)"}, remove=("x-debug",)),
        response=Headers(add={"x-by": "{{till}}"}),
        query=Query(set={"by": "api"}, remove=("debug",)),
    )
    found = policy(door(edge=Edge(transform=asked)))
    rewritten = found.find("inbound/rewrite-uri")
    assert rewritten is not None
    assert rewritten.get("template") == "/sales/{cake}"
    headers = {one.get("name"): (one.get("exists-action"), one.findtext("value")) for one in found.iter("set-header")}
    assert headers["x-tier"] == ("override", '@("@(1)")'), "a text is no expression"
    assert headers["x-debug"] == ("delete", None)
    assert headers["x-by"] == ("append", '@("{" + "{till}}")'), "nor the name of a value"
    assert {one.get("name") for one in found.iter("set-query-parameter")} == {"by", "debug"}


def test_a_route_for_some_is_hidden_from_others() -> None:
    only = Only(hosts=("partners.cafe.example",), headers={"x-kind": 'a"b'})
    found = policy(door(edge=Edge(only=only)))
    conditions = [str(when.get("condition")) for when in found.findall("inbound/choose/when")]
    assert ['== "a\\"b"' in one for one in conditions] == [True, False]
    assert ['"partners.cafe.example"' in one for one in conditions] == [False, True]
    codes = {one.get("code") for one in found.findall("inbound/choose/when/return-response/set-status")}
    assert codes == {"404"}


def test_expressions_hold_no_entities() -> None:
    found = of_kind(shops(), Door)["main"]
    for one in (found.policy, *(operation.policy for operation in found.operations)):
        assert "&quot;" not in one
        assert "&amp;" not in one
    assert any("counter-key='@(" in operation.policy for operation in found.operations)


def test_nobody_outside_says_what_those_inside_believe() -> None:
    found = fromstring(of_kind(shops(), Door)["main"].policy)  # noqa: S314 - our own
    removed = {one.get("name") for one in found.findall("inbound/set-header") if one.get("exists-action") == "delete"}
    assert {"x-original-url", "x-http-method-override", "forwarded"} <= removed
    told = {one.get("name") for one in found.findall("outbound/set-header")}
    assert {"Strict-Transport-Security", "X-Content-Type-Options"} <= told
    assert found.findtext("inbound/cors/allowed-origins/origin") == "https://shop.example"


def test_each_path_is_served_once() -> None:
    scope = scope_of(shop())
    shapes = [(route.method, route.path.split("/")) for route in served(scope)]
    assert len(shapes) == len(
        {(method, tuple("{}" if "{" in part else part for part in path)) for method, path in shapes}
    )
    assert isinstance(of_kind(shops(), Door)["main"].operations[0], Operation)
