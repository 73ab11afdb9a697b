"""Two gateways let through together what one would, and one takes over the part of another that has gone."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.local.engines.envoy import validate
from shoal.mesh.bootstrap import STATIC
from shoal.mesh.compile import compile_static
from shoal.mesh.sharing import gateways
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit, Who
from shoal.model.service import Access, Endpoint
from shoal.model.system import Gateway, System
from tests.mesh.samples import ANYONE, AUTH, ISSUER, PRINCIPAL, endpoint, planned, service
from tests.mesh.wire import ask, eventually_true
from tests.mesh.world import World, everyone, furnish, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SIZE = 8


def shared(path: str, access: Access, by: Who) -> Endpoint:
    limit = RateLimit(requests=1, per=3600, burst=SIZE, by=by, shared=True)
    return replace(endpoint(path[1:], "GET", path, access), edge=Edge(limit=limit))


SHOP = service(
    "shop",
    shared("/mine", PRINCIPAL, "principal"),
    shared("/whole", ANYONE, "everyone"),
    shared("/one", ANYONE, "everyone"),
    shared("/later", ANYONE, "everyone"),
    shared("/probe", ANYONE, "address"),
)
SYSTEM = System(name="tiny", services=(SHOP, AUTH), gateway=Gateway(issuer=ISSUER))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[tuple[World, World]]:
    async with AsyncExitStack() as stack:
        worlds = [await stack.enter_async_context(running(SYSTEM)) for _ in range(2)]
        for world in worlds:
            await stack.enter_async_context(everyone(world))
        yield worlds[0], worlds[1]


async def told(world: World, count: int) -> None:
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


async def test_one_gateway_alone_has_the_whole_bucket(pair: tuple[World, World]) -> None:
    assert await passed(pair[0], "GET /one", times=SIZE + 2) == SIZE


async def test_two_gateways_let_through_what_one_would(pair: tuple[World, World]) -> None:
    for world in pair:
        await told(world, 2)
    assert [await passed(world, "GET /whole") for world in pair] == [SIZE // 2, SIZE // 2]
    claims = {"iss": ISSUER.name, "aud": ISSUER.audience, "sub": "u1"}
    assert [await passed(world, "GET /mine", world.bearer(world.token(claims))) for world in pair] == [SIZE // 2] * 2


async def test_a_gateway_takes_over_the_part_of_one_that_has_gone(pair: tuple[World, World]) -> None:
    world = pair[0]
    await told(world, 2)
    assert await passed(world, "GET /later", times=2) == 2
    await told(world, 1)
    assert await passed(world, "GET /later") == SIZE - 4, "what was taken stays taken"


async def test_envoy_accepts_it_as_one_file() -> None:
    with tempfile.TemporaryDirectory(prefix="mesh") as folder:
        world = furnish(SYSTEM, Path(folder))
        world.write(compile_static(planned(SYSTEM), world.layout))
        await validate(Path(world.layout.path(STATIC)))
