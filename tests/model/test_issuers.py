"""Issuers, consumers and what endpoints ask for: what is refused, what survives JSON, what the ready-made ones say."""

from collections.abc import Callable

import pytest

from shoal.errors import DeclarationError
from shoal.model.access import Access
from shoal.model.claims import Claim
from shoal.model.issuers import Cognito, Consumer, Entra, Firebase, Google, OpenId, placed
from shoal.model.system import Gateway, Issuer, System, from_json, to_json
from shoal.service.access import anyone, claim, consumer, internal, role, scope, signed_in
from tests.mesh.believers import believers
from tests.mesh.samples import endpoint, service


def idp(name: str = "idp", issuer: str = "https://idp.example", keys: str = "keys.json") -> OpenId:
    return OpenId(name=name, issuer=issuer, audiences=("api",), keys=keys)


REFUSED: tuple[tuple[str, Callable[[], object]], ...] = (
    ("no issuer", lambda: idp(issuer="")),
    ("no audience", lambda: OpenId(name="x", issuer="i", audiences=(), keys="k")),
    ("an empty audience", lambda: OpenId(name="x", issuer="i", audiences=("",), keys="k")),
    ("no algorithm", lambda: OpenId(name="x", issuer="i", audiences=("a",), keys="k", algorithms=())),
    ("no keys", lambda: idp(keys="")),
    ("keys from outside the project", lambda: idp(keys="../keys.json")),
    ("keys without TLS", lambda: idp(keys="http://idp.example/keys")),
    ("keys from a host that only looks like this one", lambda: idp(keys="http://localhost.evil.example/keys")),
    ("keys with a password", lambda: idp(keys="https://user:secret@idp.example/keys")),
    ("keys by another protocol", lambda: idp(keys="ftp://idp.example/keys")),
    ("keys from nowhere", lambda: idp(keys="https:///keys")),
    ("a name that is no label", lambda: idp(name="a:b")),
    ("keys fetched all the time", lambda: OpenId(name="x", issuer="i", audiences=("a",), keys="k", refresh=0)),
    ("two of one name", lambda: Gateway(issuers=(idp(), idp(issuer="https://other.example")))),
    ("two who sign alike", lambda: Gateway(issuers=(idp(), idp(name="other")))),
    ("one who signs as the system does", lambda: Gateway(
        issuer=Issuer(service="s", audience="a", name="https://idp.example"), issuers=(idp(),)
    )),
    ("one that is called as consumers are", lambda: Gateway(issuers=(idp(name="consumer"),))),
    ("two consumers of one name", lambda: Gateway(consumers=(Consumer(name="x"), Consumer(name="x")))),
    ("a consumer with a name like a path", lambda: Consumer(name="../x")),
    ("every tenant", lambda: Entra("common", "api")),
    ("a region with a slash", lambda: Cognito("evil.example/x", "pool", "client")),
    ("a project with a slash", lambda: Firebase("x/../y")),
    ("a claim without a value", lambda: claim("tier")),
    ("an empty claim", lambda: claim("tier", "")),
    ("no consumer", consumer),
    ("claims of anyone", lambda: Access(kind="anyone", claims=(Claim(name="a", values=("b",)),))),
    ("anyone and a role", lambda: anyone & role("a")),
    ("internal and a role", lambda: role("a") & internal),
    ("two lists of roles", lambda: role("a") & role("b")),
    ("a consumer that is not declared", lambda: System(
        name="sys", services=(service("s", endpoint("e", "GET", "/e", consumer("x"))),), gateway=Gateway(
            issuers=(idp(),)
        )
    )),
    ("a principal whom nobody vouches for", lambda: System(
        name="sys", services=(service("s", endpoint("e", "GET", "/e", signed_in)),)
    )),
)  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_what_cannot_be_meant_is_refused(case: tuple[str, Callable[[], object]]) -> None:
    with pytest.raises(DeclarationError) as refused:
        case[1]()
    assert refused.value.hint


def test_a_system_with_all_of_it_survives_json() -> None:
    system = believers()
    assert from_json(to_json(system)) == system


def test_an_issuer_outside_is_enough() -> None:
    services = (service("s", endpoint("e", "GET", "/e", signed_in)),)
    assert System(name="sys", services=services, gateway=Gateway(issuers=(idp(),))).gateway.verifies


def test_demands_add_up() -> None:
    both = role("a") & scope("x", "y") & scope("y", "z") & claim("c", True) & signed_in
    assert (both.roles, both.scopes, both.claims) == (("a",), ("x", "y", "z"), (Claim(name="c", values=(True,)),))


def test_the_ready_made_ones_say_what_their_makers_do() -> None:
    found = Cognito("eu-west-1", "eu-west-1_A", "c"), Entra("t", "a"), Google("g"), Firebase("f")
    assert [issuer.issuer for issuer in found] == [
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
        "https://login.microsoftonline.com/t/v2.0",
        "https://accounts.google.com",
        "https://securetoken.google.com/f",
    ]
    assert [issuer.keys for issuer in found] == [
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/.well-known/jwks.json",
        "https://login.microsoftonline.com/t/discovery/v2.0/keys",
        "https://www.googleapis.com/oauth2/v3/certs",
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    ]
    assert {issuer.algorithms for issuer in found} == {("RS256",)}
    assert {issuer.key_host[1] for issuer in found} == {443}


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("a.json", "/p/a.json"),
        ("/etc/a.json", "/etc/a.json"),
        ("https://h/k", "https://h/k"),
        ("http://[::1]:9/k", "http://[::1]:9/k"),
    ],
)
def test_files_of_keys_lie_in_the_project(keys: str, where: str) -> None:
    assert placed(idp(keys=keys), "/p").keys == where
