"""Principals of several issuers and of keys, as a service sees them."""

from typing import Any

import msgspec
import pytest

from shoal import Principal, Service, System, anyone
from shoal.model.issuers import Cognito, Consumer, Entra, Firebase, Google, OpenId
from shoal.model.system import Gateway
from shoal.service.access import claim, consumer, role, scope, signed_in
from shoal.service.system import Issuer
from shoal.testing import MemorySystem

users = Service("users")


class Me(msgspec.Struct):
    subject: str
    roles: list[str]
    scopes: list[str]
    issuer: str


def _me(principal: Principal) -> Me:
    found = sorted(principal.roles), sorted(principal.scopes)
    return Me(subject=principal.subject, roles=found[0], scopes=found[1], issuer=principal.issuer)


@users.get("/me")
async def me(principal: Principal) -> Me:
    return _me(principal)


@users.get("/greeting", access=anyone)
async def greeting(principal: Principal | None = None) -> str:
    return principal.subject if principal else "stranger"


@users.get("/admin", access=role("admin"))
async def admin(principal: Principal) -> Me:
    return _me(principal)


@users.get("/read", access=scope("read"))
async def read(principal: Principal) -> Me:
    return _me(principal)


@users.get("/partner", access=consumer("partner-x"))
async def partner(principal: Principal) -> Me:
    return _me(principal)


@users.get("/gold", access=signed_in & claim("tier", "gold", "platinum") & claim("mfa", True))
async def gold(principal: Principal) -> Me:
    return _me(principal)


KEYCLOAK = OpenId(
    name="kc",
    issuer="https://kc.example/realms/a",
    audiences=("api", "api-2"),
    keys="kc.json",
    algorithms=("EdDSA", "ES256"),
    roles=("realm_access", "roles"),
    scopes=(),
)
ISSUERS = (
    Cognito("eu-west-1", "eu-west-1_Abc", "client-1"),
    Entra("t-1", "api-1"),
    Google("g-1"),
    Firebase("f-1"),
    KEYCLOAK,
)

declared = System(
    "sys",
    services=[users],
    issuer=Issuer(users, audience="sys"),
    gateway=Gateway(
        issuers=ISSUERS,
        consumers=(
            Consumer(name="partner-x", scopes=("read",)),
            Consumer(name="partner-y", roles=("admin",)),
            Consumer(name="partner-z"),
        ),
    ),
)


@pytest.fixture(name="system_declaration")
def _declaration() -> System:
    return declared


@pytest.mark.parametrize(
    ("issuer", "claims", "roles", "scopes"),
    [
        ("cognito", {"cognito:groups": ["b", "a"], "scope": "read write"}, ["a", "b"], ["read", "write"]),
        ("entra", {"roles": ["Orders.Read"], "scp": "read"}, ["Orders.Read"], ["read"]),
        ("google", {"roles": ["admin"], "scope": "read"}, [], []),
        ("firebase", {"roles": ["admin"], "scope": "read"}, ["admin"], []),
        ("kc", {"realm_access": {"roles": ["x"]}, "roles": ["admin"], "scope": "read"}, ["x"], []),
        ("kc", {"realm_access": ["admin"]}, [], []),
    ],
)
async def test_each_issuer_says_it_in_its_own_way(
    system: MemorySystem, issuer: str, claims: dict[str, Any], roles: list[str], scopes: list[str]
) -> None:
    answer = await system.get("/me", token=system.token("42", issuer=issuer, **claims))
    assert answer.json() == {"subject": f"{issuer}:42", "roles": roles, "scopes": scopes, "issuer": issuer}


@pytest.mark.parametrize(
    ("issuer", "claims"),
    [
        ("cognito", {"token_use": "id"}),
        ("cognito", {"client_id": "client-2"}),
        ("cognito", {"client_id": None, "aud": "client-1"}),
        ("entra", {"tid": "t-2"}),
        ("entra", {"ver": "1.0"}),
        ("entra", {"oid": None, "sub": "42"}),
        ("google", {"iss": "https://accounts.google.com.evil.example"}),
        ("firebase", {"aud": "f-2"}),
        ("kc", {"iss": "https://accounts.google.com"}),
        ("kc", {"aud": ["other", "another"]}),
    ],
)
async def test_a_token_for_something_else_is_refused(system: MemorySystem, issuer: str, claims: dict[str, Any]) -> None:
    assert (await system.get("/me", token=system.token("42", issuer=issuer, **claims))).status == 401


async def test_no_issuer_can_name_anothers_subject(system: MemorySystem) -> None:
    """The same subject of two issuers is two people; our own issuer cannot sign for the others' people."""
    found = {(await system.get("/me", token=system.token("7", issuer=i.name))).json()["subject"] for i in ISSUERS}
    found.add((await system.get("/me", token=system.token("7"))).json()["subject"])
    assert len(found) == len(ISSUERS) + 1
    for forged in ("google:7", "consumer:partner-x"):
        assert (await system.get("/me", token=system.token(forged))).status == 401
    assert (await system.get("/me", token=system.token("urn:x:7"))).status == 200


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("partner-x", "/read", 200),
        ("partner-x", "/partner", 200),
        ("partner-x", "/admin", 403),
        ("partner-x", "/me", 403),
        ("partner-x", "/gold", 403),
        ("partner-y", "/admin", 200),
        ("partner-y", "/read", 403),
        ("partner-y", "/partner", 403),
        ("partner-z", "/me", 403),
        ("stranger", "/read", 401),
    ],
)
async def test_a_key_opens_what_its_consumer_may(system: MemorySystem, name: str, path: str, status: int) -> None:
    assert (await system.get(path, headers={"x-api-key": system.key(name)})).status == status


async def test_keys_and_tokens_are_not_mixed_up(system: MemorySystem) -> None:
    key, token = system.key("partner-x"), system.token("ann", scope="read")
    assert (await system.get("/greeting", headers={"x-api-key": key})).json() == "consumer:partner-x"
    assert (await system.get("/read", token=token)).status == 200  # and is remembered from now on
    for headers in (
        {"x-api-key": key, "authorization": f"Bearer {token}"},
        {"x-api-key": token},
        {"x-api-key": key.removeprefix("shoal_")},
        {"x-api-key": f"Bearer {key}"},
        {"x-api-key": f"{key[:-4]}AAAA"},
        {"x-api-key": ""},
        {"authorization": f"Bearer {key.removeprefix('shoal_')}"},
        {"authorization": f"Bearer shoal_{token}"},
        {"authorization": f"Basic {key}"},
    ):
        assert (await system.get("/read", headers=headers)).status == 401, headers


async def test_a_key_is_replaced_while_both_work(system: MemorySystem) -> None:
    old = system.key("partner-x")
    assert (await system.get("/read", headers={"x-api-key": old})).status == 200
    new = system.key("partner-x")
    for key in (old, new):
        assert (await system.get("/read", headers={"x-api-key": key})).status == 200
    system.clock.advance(4000)
    assert (await system.get("/read", headers={"x-api-key": new})).status == 401


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"tier": "gold", "mfa": True}, 200),
        ({"tier": ["basic", "platinum"], "mfa": True}, 200),
        ({"tier": "gold"}, 403),
        ({"tier": "gold", "mfa": 1}, 403),
        ({"tier": "gold", "mfa": "true"}, 403),
        ({"tier": "golden", "mfa": True}, 403),
        ({"tier": "gold platinum", "mfa": True}, 403),
        ({"mfa": True}, 403),
    ],
)
async def test_claims_are_asked_for_exactly(system: MemorySystem, claims: dict[str, Any], status: int) -> None:
    assert (await system.get("/gold", token=system.token("ann", **claims))).status == status
