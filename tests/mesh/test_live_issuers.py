"""At the edge: tokens of several issuers, keys of consumers, and what an endpoint asks of their bearers."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from shoal.mesh.tokens import token_keys
from shoal.model.issuers import CONSUMERS
from shoal.tokens import Foreign
from tests.mesh.believers import Signers, believers, lay_out
from tests.mesh.jwks import KeyHost, key_host
from tests.mesh.samples import planned
from tests.mesh.wire import Answer, eventually_true
from tests.mesh.world import World, everyone, replace, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


class Scene(NamedTuple):
    """A running edge, who signs for it, and where keys come from by URL."""

    world: World
    signers: Signers
    host: KeyHost

    async def ask(self, path: str, token: str = "", **headers: str) -> Answer:
        sent = {"authorization": f"Bearer {token}"} if token else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.world.edge(f"GET {path}", headers=sent | named)

    async def becomes(self, status: int, path: str, token: str = "", **headers: str) -> None:
        async def check() -> bool:
            return (await self.ask(path, token, **headers)).status == status

        await eventually_true(check)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[Scene]:
    async with key_host() as host:
        signers = Signers(believers(host.url))
        host.text = signers.key_set("cognito")
        for name in ("partner-x", "partner-y", "partner-z", "stranger"):
            signers.key(name)
        async with running(signers.system, lambda world: lay_out(world, signers)) as world, everyone(world):
            yield Scene(world, signers, host)


@pytest.mark.parametrize("issuer", ["rsa", "ed", "kc", "cognito"])
async def test_tokens_of_every_issuer_sign_in(scene: Scene, issuer: str) -> None:
    answer = await scene.ask("/me", scene.signers.token(issuer), x_shoal_subject="root", x_shoal_issuer="forged")
    assert answer.status == 200, answer
    seen = answer.json["headers"]
    assert (seen["x-shoal-subject"], seen["x-shoal-issuer"]) == ("42", scene.signers.claims(issuer)["iss"])


async def test_the_systems_own_tokens_sign_in_as_well(scene: Scene) -> None:
    seen = (await scene.ask("/me", scene.world.token())).json["headers"]
    assert (seen["x-shoal-subject"], seen["x-shoal-issuer"]) == ("u1", "https://auth.tiny.example")


async def test_where_nobody_need_sign_in_nobody_is_said_to_have(scene: Scene) -> None:
    forged = {"x_shoal_subject": "root", "x_shoal_issuer": "https://rsa.example", "x_shoal_roles": "admin"}
    for token in ("", scene.signers.token("rsa")):
        answer = await scene.ask("/open", token, **forged)
        assert answer.status == 200
        assert not [name for name in answer.json["headers"] if name.startswith("x-shoal-")]


@pytest.mark.parametrize(
    ("issuer", "claims"),
    [
        ("rsa", {"aud": "another"}),
        ("rsa", {"aud": ["another", "third"]}),
        ("rsa", {"aud": None}),
        ("rsa", {"iss": "https://ed.example"}),
        ("rsa", {"iss": "https://auth.tiny.example"}),
        ("rsa", {"iss": "urn:shoal:keys:tiny", "aud": "urn:shoal:keys:tiny", "sub": "partner-x"}),
        ("ed", {"iss": "https://rsa.example"}),
        ("kc", {"exp": 1}),
    ],
)
async def test_an_issuer_speaks_for_itself_only(scene: Scene, issuer: str, claims: dict[str, Any]) -> None:
    answer = await scene.ask("/me", scene.signers.token(issuer, **claims))
    assert (answer.status, answer.json["type"]) == (401, "urn:shoal:problem:unauthenticated")


@pytest.mark.parametrize(
    "claims",
    [{"client_id": "client-2"}, {"client_id": None, "aud": "client-1"}, {"token_use": "id"}, {"token_use": None}],
)
async def test_a_token_must_be_of_the_kind_that_its_issuer_gives_for_access(
    scene: Scene, claims: dict[str, Any]
) -> None:
    answer = await scene.ask("/me", scene.signers.token("cognito", **claims))
    assert (answer.status, answer.json["type"]) == (403, "urn:shoal:problem:forbidden")


@pytest.mark.parametrize(
    ("path", "issuer", "claims", "status"),
    [
        ("/admin", "own", {"roles": ["admin"]}, 200),
        ("/admin", "own", {"roles": ["x", "root"]}, 200),
        ("/admin", "own", {"roles": "x admin"}, 200),
        ("/admin", "own", {"roles": ["administrator"]}, 403),
        ("/admin", "own", {"roles": []}, 403),
        ("/admin", "own", {"role": "admin"}, 403),
        ("/admin", "own", {"roles": {"admin": True}}, 403),
        ("/admin", "rsa", {"roles": ["admin"]}, 200),
        ("/admin", "ed", {"roles": ["admin"]}, 403),
        ("/admin", "kc", {"realm_access": {"roles": ["admin"]}}, 200),
        ("/admin", "kc", {"roles": ["admin"]}, 403),
        ("/admin", "cognito", {"cognito:groups": ["admin"]}, 200),
        ("/read", "own", {"scope": "read"}, 200),
        ("/read", "own", {"scope": "write read"}, 200),
        ("/read", "own", {"scope": "reader"}, 403),
        ("/read", "own", {}, 403),
        ("/read", "ed", {"scope": "read"}, 403),
        ("/read", "kc", {"scp": "read"}, 200),
        ("/read", "kc", {"scope": "read"}, 403),
        ("/both", "own", {"roles": ["admin"], "scope": "read write"}, 200),
        ("/both", "own", {"roles": ["admin"], "scope": "read"}, 403),
        ("/both", "own", {"scope": "read write"}, 403),
        ("/gold", "own", {"tier": "gold", "mfa": True}, 200),
        ("/gold", "rsa", {"tier": ["basic", "platinum"], "mfa": True}, 200),
        ("/gold", "own", {"tier": "gold", "mfa": "true"}, 403),
        ("/gold", "own", {"tier": "gold"}, 403),
        ("/gold", "own", {"tier": "silver", "mfa": True}, 403),
        ("/partner", "own", {"sub": "partner-x"}, 403),
        ("/partner", "own", {"sub": "consumer:partner-x"}, 403),
        ("/partner", "rsa", {"sub": "partner-x"}, 403),
    ],
)
async def test_what_an_endpoint_asks_for_is_judged_at_the_edge(
    scene: Scene, path: str, issuer: str, claims: dict[str, Any], status: int
) -> None:
    token = scene.world.token(claims) if issuer == "own" else scene.signers.token(issuer, **claims)
    answer = await scene.ask(path, token)
    assert answer.status == status, answer
    if status == 403:
        assert answer.json["type"] == "urn:shoal:problem:forbidden"
        assert b"RBAC" not in answer.body


@pytest.mark.parametrize(
    ("name", "opens"),
    [
        ("partner-x", {"/read", "/partner"}),
        ("partner-y", {"/read", "/admin", "/both"}),
        ("partner-z", set()),
        ("stranger", set()),
    ],
)
async def test_a_key_opens_what_its_consumer_may_and_nothing_else(scene: Scene, name: str, opens: set[str]) -> None:
    key = scene.signers.key(name)
    renew(scene)
    await scene.becomes(200 if name in ("partner-x", "partner-y") else 403, "/read", x_api_key=key)
    found = {
        path: (await scene.ask(path, x_api_key=key)).status
        for path in ("/me", "/admin", "/read", "/both", "/gold", "/partner")
    }
    assert {path for path, status in found.items() if status == 200} == opens
    assert set(found.values()) <= {200, 403}


async def test_a_key_is_replaced_without_a_refused_request_and_withdrawn_at_once(scene: Scene) -> None:
    old = scene.signers.key("partner-x")
    first = scene.signers.keys[-1]
    renew(scene)
    await scene.becomes(200, "/partner", x_api_key=old)
    new = scene.signers.key("partner-x")
    renew(scene)
    while (await scene.ask("/partner", x_api_key=new)).status != 200:
        assert (await scene.ask("/partner", x_api_key=old)).status == 200
    scene.signers.keys.remove(first)
    renew(scene)
    await scene.becomes(401, "/partner", x_api_key=old)
    assert (await scene.ask("/partner", x_api_key=new)).status == 200


async def test_what_lies_on_the_disk_opens_nothing(scene: Scene) -> None:
    """Keys are verified by what is stored, and cannot be made of it."""
    key = scene.signers.key("partner-x")
    renew(scene)
    stored = scene.world.layout
    with open(stored.path("ecds/tokens.json"), encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - one small file
        text = file.read()
    assert key not in text
    assert key.rpartition(".")[2] not in text
    assert '\\"d\\"' not in text


async def test_keys_by_url_are_rotated_and_outlive_an_outage_of_their_host(scene: Scene) -> None:
    old = scene.signers.token("cognito")
    await scene.becomes(200, "/me", old)
    scene.signers.foreign["cognito"] = Foreign("RS256")
    new = scene.signers.token("cognito")
    assert (await scene.ask("/me", new)).status == 401
    scene.host.text = scene.signers.key_set("cognito")
    await scene.becomes(200, "/me", new)
    await scene.becomes(401, "/me", old)
    scene.host.status, asked = 503, scene.host.asked

    async def tried() -> bool:
        return scene.host.asked >= asked + 2

    await eventually_true(tried)
    for number in range(8):  # whichever worker serves it
        assert (await scene.ask("/me", scene.signers.token("cognito", jti=str(number)))).status == 200
    scene.host.status = 200


def renew(scene: Scene) -> None:
    """Give the running edge the consumers' keys as they are now."""
    keys = {CONSUMERS: scene.signers.consumer_keys}
    scene.world.write(token_keys(planned(scene.signers.system), scene.world.layout, keys))
    assert json.loads(scene.signers.consumer_keys)["keys"]


async def test_a_changed_declaration_reads_the_key_file_again(scene: Scene) -> None:
    """Envoy had the keys inline; the filter of a start names their file."""
    old = scene.signers.key("partner-x")
    first = scene.signers.keys[-1]
    renew(scene)
    await scene.becomes(200, "/partner", x_api_key=old)
    scene.signers.keys.remove(first)
    new = scene.signers.key("partner-x")
    layout = scene.world.layout
    assert (await scene.ask("/partner", x_api_key=new)).status == 401
    replace(layout.jwks(CONSUMERS), scene.signers.consumer_keys)
    scene.world.write(token_keys(planned(scene.signers.system), layout, {}))
    await scene.becomes(200, "/partner", x_api_key=new)
    await scene.becomes(401, "/partner", x_api_key=old)
