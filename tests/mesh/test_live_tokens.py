"""Forged tokens open nothing: every forgery, on every protected route, at the edge and at the service directly."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey

from shoal.runtime.asgi import request
from shoal.runtime.host import Host
from tests.mesh.accounts import direct
from tests.mesh.believers import PROTECTED, Signers, believers, lay_out
from tests.mesh.forgeries import FORGERIES, Forger, Forgery
from tests.mesh.wire import App
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ROUTES = (*PROTECTED, "/accounts/7")
INSIDE = (b"jwt", b"Jwt", b"JWT", b"jose", b"RBAC", b"Traceback", b"envoy", b"kid", b".json", b"signature")


class Scene(NamedTuple):
    """A running edge, what stands behind it, the same service alone, and who forges."""

    world: World
    app: App
    alone: Host
    forger: Forger
    signers: Signers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[Scene]:
    signers = Signers(believers(""))
    signers.key("partner-x")
    rsa = signers.foreign["rsa"]._key
    assert isinstance(rsa, RSAKey)
    async with (
        running(signers.system, lambda world: lay_out(world, signers)) as world,
        everyone(world) as apps,
        direct(world) as alone,
    ):
        yield Scene(world, apps["accounts"], alone, Forger(world.signer, rsa), signers)


async def test_there_are_enough_of_them() -> None:
    names = [forgery.name for forgery in FORGERIES]
    assert len(set(names)) == len(names)
    assert len([forgery for forgery in FORGERIES if not forgery.authentic]) >= 60


async def test_without_the_forgery_they_open_everything_but_what_is_for_keys(scene: Scene) -> None:
    headers = {"authorization": scene.forger.good()}
    for route in ROUTES:
        expected = 403 if route == "/partner" else 200
        assert (await scene.world.edge(f"GET {route}", headers=headers)).status == expected
        assert (await request(scene.alone, "GET", route, headers, b""))[0] == expected


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
async def test_a_forgery_opens_nothing(scene: Scene, forgery: Forgery) -> None:
    headers = {"authorization": scene.forger.value(forgery)}
    scene.app.seen.clear()
    answers = await asyncio.gather(*(scene.world.edge(f"GET {route}", headers=headers) for route in ROUTES))
    for route, answer in zip(ROUTES, () if forgery.authentic else answers, strict=not forgery.authentic):
        assert answer.status in (400, 401, 403, 431), (route, answer)
        assert answer.headers["content-type"] == "application/problem+json", (route, answer)
        assert not [word for word in INSIDE if word in answer.body], answer
    assert forgery.authentic or not scene.app.seen
    for route in ROUTES:
        status, received, body = await asyncio.create_task(request(scene.alone, "GET", route, headers, b""))
        assert (status, dict(received)[b"content-type"]) == (401, b"application/problem+json"), (route, body)
        assert json.loads(body)["type"] == "urn:shoal:problem:unauthenticated"
        assert not [word for word in INSIDE if word in body], body
