"""Repeats at the edge: only of what changes nothing, and at most a tenth more where everything fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.model.service import Policy
from shoal.model.system import System
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import App
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

POLICY = Policy(attempts=4, backoff=0.01)
SYSTEM = System(
    name="again",
    services=(
        service(
            "callee",
            endpoint("read", "GET", "/things", policy=POLICY),
            *(
                replace(endpoint(method.lower(), method, "/things", policy=POLICY), idempotent=True)
                for method in ("POST", "PUT", "PATCH", "DELETE")
            ),
        ),
    ),
)
FAILING = {"x-test-status": "503"}


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="mesh")
async def start() -> AsyncIterator[World]:
    async with running(SYSTEM) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", name="callee")
async def serve(mesh: World) -> AsyncIterator[App]:
    async with everyone(mesh) as apps:
        yield apps["callee"]


async def test_where_everything_fails_attempts_are_at_most_110_percent(mesh: World, callee: App) -> None:
    requests, clients = 600, 30

    async def client() -> list[int]:
        return [(await mesh.edge("GET /things", headers=FAILING)).status for _ in range(requests // clients)]

    statuses = await asyncio.gather(*(client() for _ in range(clients)))
    assert {status for each in statuses for status in each} == {503}
    assert requests < len(callee.seen) <= 1.1 * requests


async def test_a_lone_request_is_repeated_as_its_policy_says(mesh: World, callee: App) -> None:
    assert (await mesh.edge("GET /things", headers=FAILING)).status == 503
    assert len(callee.seen) == POLICY.attempts


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_changes_something_is_not_repeated(mesh: World, callee: App, method: str) -> None:
    assert (await mesh.edge(f"{method} /things", headers=FAILING)).status == 503
    assert len(callee.seen) == 1


async def test_what_the_application_says_of_itself_is_not_repeated(mesh: World, callee: App) -> None:
    for status in ("500", "501", "404", "409", "429"):
        callee.seen.clear()
        assert (await mesh.edge("GET /things", headers={"x-test-status": status})).status == int(status)
        assert len(callee.seen) == 1, status
