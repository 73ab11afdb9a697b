"""More load than a service takes: what is over it is refused at once, the critical last of all."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.errors import DeclarationError
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from shoal.model.edge import Edge
from shoal.model.service import Call, Endpoint
from shoal.model.streaming import Stream
from shoal.model.system import System, from_json, to_json
from shoal.model.traffic import Shedding, Traffic
from tests.mesh.samples import PAIR, endpoint, planned, service
from tests.mesh.wire import Answer, App, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = pytest.mark.live

HOLD = {"x-test-hold": "1"}


def routes(name: str) -> tuple[Endpoint, ...]:
    return endpoint("usual", "GET", f"/{name}"), replace(endpoint("vital", "GET", f"/{name}/vital"), critical=True)


FOLLOW = replace(endpoint("follow", "GET", "/shed/follow"), edge=Edge(stream=Stream()))
SHED = replace(service("shed", *routes("shed"), FOLLOW), traffic=Traffic(shed=Shedding(least=4)))
BOUND = replace(service("bound", *routes("bound")), traffic=Traffic(requests=4))
CALLS = tuple(Call(service="bound", endpoint=name) for name in ("usual", "vital"))
CALLER = service("caller", endpoint("get", "GET", "/caller"), calls=CALLS)
SYSTEM = System(name="full", services=(SHED, BOUND, CALLER))


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="mesh")
async def start() -> AsyncIterator[World]:
    async with running(SYSTEM) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def serve(mesh: World) -> AsyncIterator[dict[str, App]]:
    async with everyone(mesh) as apps:
        yield apps


@contextlib.asynccontextmanager
async def busy(mesh: World, app: App, line: str, count: int) -> AsyncIterator[list[Answer]]:
    """Keep so many requests under way."""
    before, answers = len(app.seen), list[Answer]()
    held = []
    for number in range(count):  # one by one: Envoy's threads count together, but not at the same instant
        held.append(asyncio.create_task(mesh.edge(line, headers=HOLD)))
        await eventually_true(lambda expected=before + number + 1: _seen(app, expected))  # type: ignore[misc]
    try:
        yield answers
    finally:
        app.release.set()
        answers += await asyncio.gather(*held)
        app.release.clear()


async def _seen(app: App, count: int) -> bool:
    return len(app.seen) >= count


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_over_the_bound_is_refused_at_once_and_critical_routes_go_on(
    mesh: World, served: dict[str, App]
) -> None:
    for name in ("shed", "bound"):
        async with busy(mesh, served[name], f"GET /{name}", 4) as answers:
            refused = await mesh.edge(f"GET /{name}")
            assert (refused.status, refused.json["type"]) == (503, "urn:shoal:problem:unavailable"), name
            assert (await mesh.edge(f"GET /{name}/vital")).status == 200, name
        assert [answer.status for answer in answers] == [200] * 4
        assert (await mesh.edge(f"GET /{name}")).status == 200, name


@pytest.mark.asyncio(loop_scope="module")
async def test_streams_do_not_count_since_they_last_anyway(mesh: World, served: dict[str, App]) -> None:
    async with busy(mesh, served["shed"], "GET /shed/follow", 6):
        assert (await mesh.edge("GET /shed")).status == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_critical_calls_between_services_go_on_too(mesh: World, served: dict[str, App]) -> None:
    async with busy(mesh, served["bound"], "GET /bound", 4):
        assert (await mesh.out("caller", "GET /bound", to="bound")).status == 503
        assert (await mesh.out("caller", "GET /bound/vital", to="bound")).status == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_critical_requests_have_an_end_as_well(mesh: World, served: dict[str, App]) -> None:
    async with busy(mesh, served["bound"], "GET /bound/vital", 4):
        assert (await mesh.edge("GET /bound/vital")).status == 503
        assert (await mesh.edge("GET /bound")).status == 200, "those who are not critical have their own room"


def test_nothing_is_added_where_nothing_is_asked_for() -> None:
    text = json.dumps([a.text for a in compile_mesh(planned(PAIR), layout_for(planned(PAIR), root="/r"))])
    assert "adaptive_concurrency" not in text
    assert "HIGH" not in text


def test_it_survives_as_json_and_nonsense_is_refused() -> None:
    assert from_json(to_json(SYSTEM)) == SYSTEM
    with pytest.raises(DeclarationError):
        Shedding(latency=-1.0)
    with pytest.raises(DeclarationError):
        Shedding(least=0)
