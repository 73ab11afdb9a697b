"""Two gateways let through together what one would, be it by parts or by one count; and what is left without the count.

Every limit gives a token back once in a day, so that what passes is a number and no matter of time.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace as changed

from shoal.local.engines import Recipe, Running, limiter, start, valkey
from shoal.local.engines.envoy import validate
from shoal.local.engines.limiter import LimiterOptions
from shoal.local.engines.valkey import ValkeyOptions, ValkeyUser
from shoal.local.limiter.bucket import COMMANDS, PREFIX
from shoal.local.limiter.settings import Settings
from shoal.mesh import counting
from shoal.mesh.bootstrap import STATIC
from shoal.mesh.compile import compile_static
from shoal.mesh.counting import LIMITS
from shoal.mesh.sharing import gateways
from shoal.model.artifact import Artifact
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit, Sharing, Who
from shoal.model.service import Access, Endpoint
from shoal.model.system import Gateway, System
from tests.mesh.samples import ANYONE, AUTH, ISSUER, PRINCIPAL, endpoint, planned, service
from tests.mesh.wire import Answer, ask, eventually_true
from tests.mesh.world import World, everyone, furnish, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SIZE = 8
DAY = 86_400


def limited(path: str, access: Access, by: Who, shared: Sharing = "counted") -> Endpoint:
    limit = RateLimit(requests=1, per=DAY, burst=SIZE, by=by, shared=shared)
    return changed(endpoint(path[1:], "GET", path, access), edge=Edge(limit=limit))


SHOP = service(
    "shop",
    limited("/mine", PRINCIPAL, "principal"),
    limited("/search", ANYONE, "address"),
    limited("/told", ANYONE, "everyone"),
    limited("/away", ANYONE, "everyone"),
    limited("/back", ANYONE, "everyone"),
    limited("/gone", ANYONE, "everyone"),
    limited("/again", ANYONE, "everyone"),
    limited("/narrower", ANYONE, "everyone"),
    limited("/local", ANYONE, "everyone", shared=False),
    limited("/one", ANYONE, "everyone", shared=True),
    limited("/whole", ANYONE, "everyone", shared=True),
    limited("/part", PRINCIPAL, "principal", shared=True),
    limited("/later", ANYONE, "everyone", shared=True),
    limited("/probe", ANYONE, "address", shared=True),
    endpoint("free", "GET", "/free"),
)
SYSTEM = System(name="tiny", services=(SHOP, AUTH), gateway=Gateway(issuer=ISSUER))


@dataclass(slots=True, kw_only=True)
class Stage:
    """Two gateways, who counts for them, and in what."""

    worlds: tuple[World, World]
    recipes: dict[str, Recipe]
    lines: list[str] = field(default_factory=list)
    running: dict[str, Running] = field(default_factory=dict)

    async def statuses(self, line: str, times: int) -> list[int]:
        """Ask the gateways in turn."""
        return [(await self.worlds[n % 2].edge(line)).status for n in range(times)]

    async def start(self, name: str) -> None:
        self.running[name] = await start(self.recipes[name], on_line=self.lines.append)

    async def stop(self, name: str) -> None:
        await self.running[name].process.stop()

    async def kill(self, name: str) -> None:
        await self.running[name].process.kill()


def recipes(world: World, place: Path) -> dict[str, Recipe]:
    user = ValkeyUser(name="limiter", password="secret", keys=(f"{PREFIX}*",), commands=COMMANDS)
    socket = place / "valkey.sock"
    settings = Settings(
        listen=f"{world.layout.sockets}/limiter.grpc", limits=world.layout.path(LIMITS),
        valkey=str(socket), user=user.name, password=user.password,
    )  # fmt: skip
    return {
        "valkey": valkey.recipe(ValkeyOptions(directory=place / "valkey", socket=socket, users=(user,))),
        "limiter": limiter.recipe(LimiterOptions(settings=settings, directory=place / "limiter")),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(counting, "PATIENCE", 10.0)  # a machine that is busy with other tests must not change a number
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="count")))
        one = await stack.enter_async_context(running(SYSTEM))

        def meet(world: World) -> None:
            Path(world.layout.sockets, "limiter.grpc").symlink_to(f"{one.layout.sockets}/limiter.grpc")

        other = await stack.enter_async_context(running(SYSTEM, meet))
        for world in (one, other):
            await stack.enter_async_context(everyone(world))
        found = Stage(worlds=(one, other), recipes=recipes(one, place))
        for name in found.recipes:
            await found.start(name)
            stack.push_async_callback(found.stop, name)
        yield found


async def counts_gateways(world: World, count: int) -> None:
    """Say how many gateways there are, and wait until this one knows."""
    world.write(gateways(count))

    async def known() -> bool:
        address = f"127.0.1.{next(FRESH)}"
        answers = [await ask(world.layout.edge(), "GET /probe", local=address) for _ in range(2)]
        left = [int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for answer in answers]
        return left[0] - left[1] == count

    await eventually_true(known)


FRESH = iter(range(1, 255))


async def passed(world: World, line: str, headers: dict[str, str] | None = None, times: int = SIZE) -> int:
    return sum([(await world.edge(line, headers=headers)).status == 200 for _ in range(times)])


async def test_one_gateway_alone_has_the_whole_bucket(stage: Stage) -> None:
    assert await passed(stage.worlds[0], "GET /one", times=SIZE + 2) == SIZE


async def test_two_gateways_let_through_what_one_would(stage: Stage) -> None:
    for world in stage.worlds:
        await counts_gateways(world, 2)
    assert [await passed(world, "GET /whole") for world in stage.worlds] == [SIZE // 2, SIZE // 2]
    assert [await passed(world, "GET /part", world.bearer()) for world in stage.worlds] == [SIZE // 2] * 2


async def test_a_gateway_takes_over_the_part_of_one_that_has_gone(stage: Stage) -> None:
    world = stage.worlds[0]
    await counts_gateways(world, 2)
    assert await passed(world, "GET /later", times=2) == 2
    await counts_gateways(world, 1)
    assert await passed(world, "GET /later") == SIZE - 4, "what was taken stays taken"


async def test_together_they_let_through_what_one_would(stage: Stage) -> None:
    assert await stage.statuses("GET /search", SIZE + 4) == [200] * SIZE + [429] * 4


async def test_a_caller_who_meets_one_of_them_only_has_the_whole_bucket(stage: Stage) -> None:
    one, other = stage.worlds
    headers = one.bearer(one.token({"sub": "lonely"}))
    assert [(await one.edge("GET /mine", headers=headers)).status for _ in range(SIZE + 1)] == [200] * SIZE + [429]
    signed = other.bearer(other.token({"sub": "lonely"}))
    assert (await other.edge("GET /mine", headers=signed)).status == 429, "the same principal at the other gateway"
    signed = other.bearer(other.token({"sub": "another"}))
    assert (await other.edge("GET /mine", headers=signed)).status == 200


async def test_requests_at_once_are_counted_one_by_one(stage: Stage) -> None:
    async def asked(n: int) -> Answer:
        return await ask(stage.worlds[n % 2].layout.edge(), "GET /search", local="127.0.3.1")

    found = await asyncio.gather(*(asked(n) for n in range(2 * SIZE)))
    assert sorted(answer.status for answer in found) == [200] * SIZE + [429] * SIZE


async def test_clients_are_told_what_a_local_limit_tells(stage: Stage) -> None:
    answers = [await stage.worlds[n % 2].edge("GET /told") for n in range(SIZE + 1)]
    told = [re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"]) for answer in answers]
    assert [match and int(match[1]) for match in told] == [*range(SIZE - 1, -1, -1), 0]
    assert [bool(match and DAY // 2 < int(match[2]) <= DAY) for match in told] == [False] * (SIZE - 1) + [True] * 2
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {f'"default";q={SIZE};w={SIZE * DAY}'}
    assert [answer.headers.get("retry-after") for answer in answers] == [None] * SIZE + [str(DAY)]
    odd, refused = ("x-rate", "x-envoy", "x-shoal"), answers[-1]
    assert not [name for answer in answers for name in answer.headers if name.startswith(odd)]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json["type"] == "urn:shoal:problem:too-many-requests"

    async def logged() -> bool:
        """Look for the words by which `shoal why` knows a limit that was counted elsewhere."""
        return any("RL request_rate_limited" in flagged(world) for world in stage.worlds)

    await eventually_true(logged)


async def test_limits_that_are_not_shared_stay_as_they_are(stage: Stage) -> None:
    for world in stage.worlds:
        await counts_gateways(world, 2)
        assert await passed(world, "GET /local", times=SIZE + 1) == SIZE
        answer = await world.edge("GET /free")
        assert (answer.status, "ratelimit" in answer.headers) == (200, False)


async def test_a_changed_limit_holds_at_once(stage: Stage) -> None:
    limits = {"shop.narrower": {"requests": 1, "per": DAY, "size": 2}}
    world = stage.worlds[0]
    before = read(world, LIMITS)
    assert json.loads(before).keys() > limits.keys()
    world.write(Artifact(path=LIMITS, text=json.dumps(json.loads(before) | limits)))
    assert await stage.statuses("GET /narrower", 4) == [200, 200, 429, 429]


async def test_without_the_store_each_gateway_limits_for_itself_until_it_is_back(stage: Stage) -> None:
    assert await stage.statuses("GET /away", 2) == [200, 200]
    await stage.kill("valkey")
    assert await stage.statuses("GET /away", 2 * SIZE) == [200] * (2 * SIZE - 2) + [429] * 2
    passed = [await world.edge("GET /back") for world in stage.worlds]
    assert [answer.headers["ratelimit"] for answer in passed] == [f'"default";r={SIZE - 1};t=0'] * 2, "of its own"
    await stage.start("valkey")
    assert await stage.statuses("GET /back", SIZE + 2) == [200] * SIZE + [429] * 2

    async def logged() -> bool:
        said = [line.partition(":")[0] for line in stage.lines if line.startswith(("not counting", "counting"))]
        return said == ["not counting", "counting again"]

    await eventually_true(logged)


async def test_without_the_limiter_likewise(stage: Stage) -> None:
    await stage.kill("limiter")
    assert await stage.statuses("GET /gone", 2 * SIZE + 2) == [200] * (2 * SIZE) + [429] * 2
    await stage.start("limiter")
    assert await stage.statuses("GET /again", SIZE + 2) == [200] * SIZE + [429] * 2


def flagged(world: World) -> list[str]:
    """List flags and details of what the edge has answered."""
    lines = [json.loads(line) for line in world.access_log().splitlines()]
    return [f"{line['flags']} {line['details']}" for line in lines]


def read(world: World, artifact: str) -> str:
    return Path(world.layout.path(artifact)).read_text("utf-8")


async def test_envoy_accepts_it_as_one_file() -> None:
    with tempfile.TemporaryDirectory(prefix="mesh") as folder:
        world = furnish(SYSTEM, Path(folder))
        world.write(compile_static(planned(SYSTEM), world.layout))
        await validate(Path(world.layout.path(STATIC)))
