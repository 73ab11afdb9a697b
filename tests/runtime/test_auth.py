"""Who may call: tokens that are missing, forged, foreign, old or enough."""

import base64
import hmac
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from shoal import Issuer, Principal, Service, System, TokenIssuer, anyone, role, scope
from shoal.testing import Response
from shoal.tokens import LEEWAY, Refused, Signer, Verifier, generate
from tests.runtime.world import World, running

users = Service("users")


class Me(msgspec.Struct):
    subject: str
    roles: list[str]
    scopes: list[str]


@users.get("/me")
async def me(principal: Principal) -> Me:
    return Me(subject=principal.subject, roles=sorted(principal.roles), scopes=sorted(principal.scopes))


@users.get("/greeting", access=anyone)
async def greeting(principal: Principal | None = None) -> str:
    return principal.subject if principal else "stranger"


@users.get("/admin", access=role("admin", "root"))
async def admin() -> str:
    return "admin"


@users.get("/both", access=scope("read", "write"))
async def both() -> str:
    return "both"


@users.post("/sessions", access=anyone)
async def sign_in(tokens: TokenIssuer) -> str:
    return tokens.issue("ann", roles=["admin"], lifetime=60, claims={"scope": "read write"})


system = System("sys", services=[users], issuer=Issuer(users, audience="sys"))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(system, tmp_path) as world:
        yield world


def refused(answer: Response) -> None:
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:shoal:problem:unauthenticated"


def part(value: Any) -> bytes:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def claims_of(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))))


async def test_a_valid_token_makes_a_principal(world: World) -> None:
    token = world.token("ann", roles=["b", "a"], scope="read write")
    assert (await world.get("/me", token=token)).json() == {
        "subject": "ann",
        "roles": ["a", "b"],
        "scopes": ["read", "write"],
    }
    assert (await world.get("/greeting", token=token)).json() == "ann"
    assert (await world.get("/greeting")).json() == "stranger"


async def test_no_token_is_401(world: World) -> None:
    refused(await world.get("/me"))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer \xff", "Bearer " + "x" * 9000]
)
async def test_garbage_is_401_also_where_no_token_is_needed(world: World, header: str) -> None:
    refused(await world.get("/me", headers={"authorization": header}))
    if header:
        refused(await world.get("/greeting", headers={"authorization": header}))


async def test_a_forged_token_is_401(world: World, tmp_path: Path) -> None:
    good = world.token("ann")
    header, claims, signature = (p.encode() for p in good.split("."))
    jwks = (tmp_path / "jwks.json").read_bytes()
    public = json.loads(jwks)["keys"][0]
    confused = part({"alg": "HS256", "kid": public["kid"]}) + b"." + claims
    forgeries = [
        part({"alg": "none"}) + b"." + claims + b".",
        part({"alg": "none"}) + b"." + claims + b"." + signature,
        *(
            confused + b"." + part(hmac.digest(key, confused, "sha256"))
            for key in (jwks, json.dumps(public).encode(), public["x"].encode())
        ),
        header + b"." + part(claims_of(good) | {"sub": "root"}) + b"." + signature,
        header + b"." + claims + b"." + signature[:-4],
        header + b"." + claims + b".",
    ]
    for forged in forgeries:
        refused(await world.get("/me", token=forged.decode()))
    assert (await world.get("/me", token=good)).status == 200


async def test_a_token_of_another_key_issuer_or_audience_is_401(world: World, tmp_path: Path) -> None:
    own, issuer = (tmp_path / "signing-key.json").read_bytes(), world.plan.system.gateway.issuer
    assert issuer is not None
    now = world.clock.now().timestamp()
    for key, name, audience in (
        (generate()[0], issuer.name, "sys"),
        (own, "somebody else", "sys"),
        (own, issuer.name, "other"),
    ):
        token = Signer(key, issuer=name, audience=audience).sign("ann", now, 60, {})
        refused(await world.get("/me", token=token))
    right = Signer(own, issuer=issuer.name, audience="sys").sign("ann", now, 60, {})
    assert (await world.get("/me", token=right)).status == 200


async def test_a_token_ends_also_when_it_was_accepted_before(world: World) -> None:
    token = world.token("ann", lifetime=100)
    assert (await world.get("/me", token=token)).status == 200
    world.clock.advance(100 + LEEWAY / 2)
    assert (await world.get("/me", token=token)).status == 200
    world.clock.advance(LEEWAY)
    refused(await world.get("/me", token=token))


async def test_a_token_does_not_begin_before_its_time(world: World) -> None:
    later = world.clock.now().timestamp() + 1000
    token = world.token("ann", lifetime=5000, nbf=later)
    refused(await world.get("/me", token=token))
    world.clock.advance(1000)
    assert (await world.get("/me", token=token)).status == 200


async def test_roles_ask_for_one_and_scopes_for_all(world: World) -> None:
    for roles, status in ((["admin"], 200), (["root", "x"], 200), (["x"], 403), ([], 403)):
        answer = await world.get("/admin", token=world.token("ann", roles=roles))
        assert answer.status == status
    for text, status in (("read write", 200), ("write read more", 200), ("read", 403), ("readwrite", 403)):
        assert (await world.get("/both", token=world.token("ann", scope=text))).status == status
    refused(await world.get("/admin"))
    denied = await world.get("/admin", token=world.token("ann"))
    assert "admin, root" in denied.json()["detail"]


async def test_the_issuer_signs_what_everybody_accepts(world: World) -> None:
    token = (await world.post("/sessions")).json()
    assert (await world.get("/admin", token=token)).status == 200
    assert (await world.get("/both", token=token)).status == 200
    published = (await world.get("/.well-known/jwks.json")).json()
    assert [key["kty"] for key in published["keys"]] == ["EC"]
    assert not any("d" in key for key in published["keys"])


async def test_a_withdrawn_key_ends_its_tokens_and_a_new_one_is_taken_up(world: World, tmp_path: Path) -> None:
    old = world.token("ann", lifetime=3600)
    assert (await world.get("/me", token=old)).status == 200
    private, public = generate()
    file = tmp_path / "jwks.json"
    before = file.stat().st_mtime
    file.write_bytes(public)
    os.utime(file, (before + 1, before + 1))
    issuer = world.plan.system.gateway.issuer
    assert issuer is not None
    signer = Signer(private, issuer=issuer.name, audience="sys")
    assert (await world.get("/me", token=signer.sign("bob", world.clock.now().timestamp(), 60, {}))).status == 200
    refused(await world.get("/me", token=old))


async def test_a_withdrawn_key_is_noticed_without_a_foreign_token(world: World, tmp_path: Path) -> None:
    old = world.token("ann", lifetime=3600)
    assert (await world.get("/me", token=old)).status == 200
    file = tmp_path / "jwks.json"
    before = file.stat().st_mtime
    file.write_bytes(generate()[1])
    os.utime(file, (before + 1, before + 1))
    world.clock.advance(5)
    refused(await world.get("/me", token=old))


@pytest.mark.parametrize(
    "claims",
    [{"exp": None}, {"exp": "soon"}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"nbf": "x"}, {"iss": None}, {"aud": []}],
)
def test_a_token_must_say_all_that_is_needed(claims: dict[str, Any]) -> None:
    private, public = generate()
    full = {"iss": "i", "aud": "a", "sub": "s", "exp": 100} | claims
    full = {name: value for name, value in full.items() if value is not None}
    token = jwt.encode({"alg": "ES256"}, full, ECKey.import_key(json.loads(private)), algorithms=["ES256"])
    with pytest.raises(Refused):
        Verifier(public, issuer="i", audience="a").verify(token, 50)


def test_one_of_several_audiences_is_enough() -> None:
    private, public = generate()
    signer = Signer(private, issuer="i", audience=["b", "a"])  # type: ignore[arg-type]
    assert Verifier(public, issuer="i", audience="a").verify(signer.sign("s", 0, 60, {}), 0)["sub"] == "s"


def test_claims_of_the_author_do_not_replace_those_that_are_checked() -> None:
    private, public = generate()
    token = Signer(private, issuer="i", audience="a").sign("s", 0, 60, {"sub": "root", "exp": 10**9, "iss": "x"})
    claims = Verifier(public, issuer="i", audience="a").verify(token, 0)
    assert (claims["sub"], claims["exp"]) == ("s", 60)
