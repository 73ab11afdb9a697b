"""Keys behind a URL: fetched when they are needed, kept while their host is away, never fetched at strangers' will."""

import asyncio
import functools
import json
from typing import Any

import pytest

from shoal.errors import Problem, Unavailable
from shoal.model.issuers import OpenId
from shoal.runtime.auth import Authenticator, Believed
from shoal.runtime.keysets import AGAIN, UrlKeys, get
from shoal.tokens import Foreign, Verifier
from tests.mesh.jwks import key_host

REFRESH = 300.0
ISSUER = OpenId(
    name="idp", issuer="https://idp.example", audiences=("api",), keys="https://idp.example/keys", refresh=REFRESH
)


class Host:
    """Publishes keys, counts who asks, and can be away."""

    def __init__(self) -> None:
        self.signer = Foreign("RS256")
        self.others: list[dict[str, Any]] = []
        self.asked, self.away = 0, False

    async def fetch(self, url: str) -> bytes:
        assert url == ISSUER.keys
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        return json.dumps({"keys": [self.signer.public, *self.others]}).encode()


class Scene:
    """A service that believes the host's issuer, and a clock."""

    def __init__(self) -> None:
        self.host, self.now, self.behind = Host(), 1_000_000.0, 0.0
        self.door = Authenticator(
            Believed(issuers=(ISSUER,)), self.host.fetch, lambda: self.now - self.behind, lambda: self.now
        )

    def token(self, **claims: Any) -> str:
        usual = {"iss": ISSUER.issuer, "aud": "api", "sub": "ann", "exp": int(self.now) + 100_000}
        return self.host.signer.sign(usual | claims)

    async def subject(self, token: str) -> str:
        return (await self.door.authenticate(f"Bearer {token}".encode())).subject

    async def status(self, token: str) -> int:
        try:
            await self.subject(token)
        except Problem as problem:
            return problem.status
        return 200


async def settle(scene: Scene, asked: int) -> None:
    """Wait until the host was asked so often, and what it said has been read."""
    async with asyncio.timeout(5):
        while scene.host.asked < asked:  # noqa: ASYNC110 - the host is no event
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_many_requests_need_one_fetch() -> None:
    scene = Scene()
    token = scene.token()
    assert await asyncio.gather(*(scene.subject(token) for _ in range(20))) == ["idp:ann"] * 20
    assert scene.host.asked == 1


async def test_a_key_that_is_not_known_is_looked_for_but_not_at_a_strangers_pace() -> None:
    scene = Scene()
    await scene.subject(scene.token())
    scene.now += AGAIN
    scene.host.signer = Foreign("RS256")
    assert await scene.status(scene.token()) == 200
    for _ in range(50):
        forged = Foreign("RS256").sign({"iss": ISSUER.issuer, "aud": "api", "sub": "eve", "exp": int(scene.now) + 60})
        assert await scene.status(forged) == 401
    assert scene.host.asked == 2


async def test_an_outage_leaves_the_keys_of_before() -> None:
    scene = Scene()
    await scene.subject(scene.token())
    scene.host.away = True
    for attempt in range(1, 4):
        scene.now += REFRESH
        assert await scene.status(scene.token(jti=str(attempt))) == 200
        await settle(scene, attempt + 1)
    assert await scene.status(scene.token(jti="last")) == 200


async def test_without_any_keys_it_is_the_issuer_who_is_unavailable() -> None:
    scene = Scene()
    scene.host.away = True
    assert await scene.status(scene.token()) == 503
    scene.host.away = False
    scene.now += AGAIN
    assert await scene.status(scene.token()) == 200


async def test_a_key_that_was_withdrawn_ends_tokens_that_were_accepted() -> None:
    scene = Scene()
    old = scene.token()
    assert await scene.status(old) == 200
    scene.host.signer = Foreign("RS256")
    scene.now += REFRESH
    assert await scene.status(old) == 200  # it is looked up in the background
    await settle(scene, 2)
    scene.now += AGAIN
    assert await scene.status(old) == 401


async def test_a_clock_that_goes_back_does_not_keep_a_withdrawn_key() -> None:
    scene = Scene()
    old = scene.token()
    assert await scene.status(old) == 200
    scene.behind = 10 * REFRESH
    scene.host.signer = Foreign("RS256")
    scene.now += REFRESH
    await scene.status(old)
    await settle(scene, 2)
    scene.now += AGAIN
    assert await scene.status(old) == 401


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"keys": {}}', '{"keys": [{"kty": "RSA"}]}', "<html>"])
async def test_nonsense_replaces_no_keys(text: str) -> None:
    signer, said = Foreign("RS256"), [b""]

    async def fetch(_: str) -> bytes:
        return said[0]

    make = functools.partial(Verifier, issuer="i", audience="a", algorithms=("RS256",))
    keys = UrlKeys("https://idp.example", make, refresh=1, fetch=fetch)
    said[0] = json.dumps({"keys": [signer.public]}).encode()
    before = await keys.verifier(None, 0)
    said[0] = text.encode()
    assert await keys.verifier("unknown", AGAIN) is before


async def test_keys_of_other_kinds_do_no_harm() -> None:
    scene = Scene()
    scene.host.others = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "x"},
        {**Foreign("ES256").public},
        {**Foreign("RS256").public, "use": "enc"},
    ]
    assert await scene.status(scene.token()) == 200


async def test_keys_come_by_http() -> None:
    async with key_host() as host:
        assert await get(host.url) == b'{"keys": []}'
        for host.status in (302, 404, 500):
            with pytest.raises(Unavailable):
                await get(host.url)
        host.status, host.text = 200, "x" * (1024 * 1024 + 1)
        with pytest.raises(Unavailable):
            await get(host.url)
    with pytest.raises(Unavailable):
        await get(host.url)
