"""Repeats, at the edge and between services: only of what is safe, and at most a tenth more where everything fails."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal import CallFailed, Header, contract, get, internal
from shoal.mesh.compile import compile_static
from shoal.mesh.layout import Pipe, layout_for
from shoal.model.service import Call, Policy
from shoal.model.system import Gateway, System
from shoal.runtime.clients import client
from shoal.runtime.mesh import MeshTransport
from tests.mesh.samples import endpoint, planned, service
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
        service("caller", calls=(Call(service="callee", endpoint="read", policy=POLICY),)),
    ),
    gateway=Gateway(),
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


@contract("callee")
class Things:
    @get("/things", access=internal, attempts=POLICY.attempts)
    async def read(self, status: Annotated[int, Header("x-test-status")]) -> str:
        raise NotImplementedError


async def test_between_services_only_the_caller_repeats_and_within_110_percent(mesh: World, callee: App) -> None:
    outbound, calls, clients = mesh.layout.outbound("caller"), 100, 20
    assert isinstance(outbound, Pipe)
    transport = MeshTransport(f"unix:{outbound.path}")
    things: Things = client(Things, transport)

    async def caller() -> None:
        for _ in range(calls // clients):
            with pytest.raises(CallFailed, match="503"):
                await things.read(503)

    try:
        await asyncio.gather(*(caller() for _ in range(clients)))
    finally:
        await transport.close()
    assert calls < len(callee.seen) <= 1.1 * calls + 1  # a budget begins with one repeat


async def test_pauses_of_the_edge_begin_as_declared_and_envoy_jitters_them() -> None:
    plan = planned(SYSTEM)
    whole = json.loads(compile_static(plan, layout_for(plan, root="/r")).text)
    listener = next(entry for entry in whole["static_resources"]["listeners"] if entry["name"] == "edge")
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    found = {entry["name"]: entry["route"].get("retry_policy") for entry in routes if "route" in entry}
    assert found.pop("callee.read") == {
        "retry_on": "reset,connect-failure,refused-stream,retriable-status-codes",
        "retriable_status_codes": [503],
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.01s"},  # of which Envoy waits a random part, doubled each time
    }
    assert set(found.values()) == {None}


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
