"""No spelling of a path and no header gets around what protects a route, at the edge or at the service."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import pytest
import pytest_asyncio

from shoal.runtime.asgi import request
from shoal.runtime.host import Host
from tests.mesh.accounts import direct
from tests.mesh.believers import Signers, believers, lay_out
from tests.mesh.detours import CLAIMED, METHODS, PATHS, TWINS, Claimed, spelled
from tests.mesh.wire import Answer, App
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PROTECTED = ("me", "admin", "partner", "accounts/7", "accounts/hidden")
INSIDE = (b"jwt", b"Jwt", b"RBAC", b"Traceback", b"envoy", b"upstream", b"cluster")


class Scene(NamedTuple):
    """A running edge, what stands behind it, and the same service alone."""

    world: World
    app: App
    alone: Host

    async def ask(self, line: str, headers: Mapping[str, str] | None = None) -> Answer | None:
        """Ask at the edge; None when it only hung up."""
        try:
            return await self.world.edge(line, headers=headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[Scene]:
    signers = Signers(believers(""))
    async with (
        running(signers.system, lambda world: lay_out(world, signers)) as world,
        everyone(world) as apps,
        direct(world) as alone,
    ):
        yield Scene(world, apps["accounts"], alone)


def refused(answer: Answer | None) -> bool:
    """Tell whether an answer lets nothing through and says nothing of the inside."""
    if answer is None:
        return True
    if answer.status == 200:
        return False
    assert 400 <= answer.status < 500, answer
    assert not answer.body or answer.headers["content-type"] == "application/problem+json", answer
    assert not [word for word in INSIDE if word in answer.body], answer
    return True


async def test_the_tables_are_long_enough() -> None:
    assert len(set(PATHS)) == len(PATHS) >= 80
    assert len(set(CLAIMED)) + len(set(TWINS)) == len(CLAIMED) + len(TWINS) >= 40


@pytest.mark.parametrize("template", PATHS, ids=repr)
async def test_no_spelling_gets_around_signing_in(scene: Scene, template: str) -> None:
    scene.app.seen.clear()
    targets = [spelled(template, path) for path in PROTECTED]
    answers = await asyncio.gather(*(scene.ask(f"GET {target}") for target in targets))
    for target, answer in zip(targets, answers, strict=True):
        assert refused(answer) or target.startswith("/open?"), (target, answer)
    assert {seen.path.partition("?")[0] for seen in scene.app.seen} <= {"/open"}
    for target in targets[:-1]:  # what is internal is kept by the door before the service
        status, _, body = await asyncio.create_task(request(scene.alone, "GET", target, {}, b""))
        assert status in (401, 404, 405) or target.startswith("/open?"), (target, status)
        assert b"Traceback" not in body


@pytest.mark.parametrize("template", PATHS, ids=repr)
async def test_no_spelling_leads_somebody_signed_in_to_what_is_internal(scene: Scene, template: str) -> None:
    scene.app.seen.clear()
    await scene.ask(f"GET {spelled(template, 'accounts/hidden')}", scene.world.bearer())
    assert "/accounts/hidden" not in {unquote(seen.path.partition("?")[0]) for seen in scene.app.seen}


@pytest.mark.parametrize("method", METHODS)
async def test_no_method_gets_around_signing_in(scene: Scene, method: str) -> None:
    scene.app.seen.clear()
    for path in PROTECTED:
        assert refused(
            await scene.ask(f"{method} /{path}", {"x-http-method-override": "GET", "x-method-override": "GET"})
        )
    assert not scene.app.seen


@pytest.mark.parametrize("claimed", CLAIMED, ids=lambda claimed: claimed.name)
async def test_what_a_header_claims_is_not_believed(scene: Scene, claimed: Claimed) -> None:
    answer = await scene.ask("GET /open", {claimed.name: claimed.value})
    assert answer is not None
    assert answer.status == 200, answer
    assert claimed.value not in answer.json["headers"].get(claimed.name.lower(), "")
    scene.app.seen.clear()
    for path in PROTECTED:
        assert refused(await scene.ask(f"GET /{path}", {claimed.name: claimed.value}))
        status, _, _ = await asyncio.create_task(request(scene.alone, "GET", f"/{path}", {claimed.name: "u1"}, b""))
        assert status == 401 or path == "accounts/hidden"
    assert not scene.app.seen


@pytest.mark.parametrize("name", TWINS)
async def test_twins_with_underscores_are_refused(scene: Scene, name: str) -> None:
    scene.app.seen.clear()
    answer = await scene.ask("GET /open", {name: "forged"})
    assert answer is not None
    assert (answer.status, answer.json["type"]) == (400, "urn:shoal:problem:bad-request")
    assert not scene.app.seen


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "example.test\r\nhost: evil.example"},
        {"connection": "close, authorization"},
        {"connection": "close, x-shoal-subject", "x-shoal-subject": "root"},
        {"connection": "x-forwarded-for, close"},
        {"authorization": "Bearer x\r\nauthorization: Bearer y"},
        {"x-api-key": "shoal_x\r\nx-api-key: shoal_y"},
        {"x-shoal-subject": "root\r\nx-shoal-subject: admin"},
        {"x-shoal-subject ": "root"},
        {" x-shoal-subject": "root"},
        {"cookie": "access_token=x; token=y"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_odd_ways_to_say_it_open_nothing(scene: Scene, headers: dict[str, str]) -> None:
    scene.app.seen.clear()
    for path in PROTECTED:
        assert refused(await scene.ask(f"GET /{path}", headers))
    assert not scene.app.seen
    await scene.ask("GET /open", headers)
    assert not [seen for seen in scene.app.seen if [name for name in seen.headers if name.startswith("x-shoal")]]


async def test_two_tokens_make_no_principal_out_of_the_worse_one(scene: Scene) -> None:
    good = scene.world.token()
    for value in (f"Bearer x\r\nauthorization: Bearer {good}", f"Bearer {good}\r\nauthorization: Bearer x"):
        scene.app.seen.clear()
        assert refused(await scene.ask("GET /me", {"authorization": value}))
        assert not scene.app.seen
