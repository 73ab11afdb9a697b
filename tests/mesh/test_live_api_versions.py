"""Versions of an operation side by side: below their paths, and by header on the path without version."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from shoal.model.edge import Edge
from shoal.model.service import Endpoint
from shoal.model.system import Gateway, System
from shoal.model.versioning import Version
from tests.mesh.samples import ANYONE, AUTH, INTERNAL, ISSUER, PRINCIPAL, endpoint, service
from tests.mesh.wire import Answer
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


def versioned(plain: Endpoint, number: int) -> Endpoint:
    edge = Edge(version=Version(number=number, path=plain.path))
    return msgspec.structs.replace(plain, path=f"/v{number}{plain.path}", edge=edge)


SYSTEM = System(
    name="versioned",
    services=(
        AUTH,
        service(
            "orders",
            versioned(endpoint("show_v1", "GET", "/orders/{order_id}"), 1),
            versioned(endpoint("show_v2", "GET", "/orders/{order_id}", PRINCIPAL), 2),
            versioned(endpoint("show_v3", "GET", "/orders/{order_id}", INTERNAL), 3),
            endpoint("summary", "GET", "/orders/summary", ANYONE),
            endpoint("list", "GET", "/orders"),
            versioned(endpoint("list_v2", "GET", "/orders"), 2),
        ),
    ),
    gateway=Gateway(issuer=ISSUER),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started, everyone(started):
        yield started


def asked(answer: Answer) -> str:
    assert answer.status == 200, answer
    return str(answer.json["path"])


async def test_paths_name_versions(world: World) -> None:
    assert asked(await world.edge("GET /v1/orders/7")) == "/v1/orders/7"
    assert asked(await world.edge("GET /v2/orders/7?a=b", headers=world.bearer())) == "/v2/orders/7?a=b"


async def test_the_header_names_versions(world: World) -> None:
    answer = await world.edge("GET /orders/7?a=%2F", headers=world.bearer() | {"api-version": "2"})
    assert asked(answer) == "/v2/orders/7?a=%2F"
    assert answer.headers["vary"] == "api-version"
    assert asked(await world.edge("GET /orders/7", headers={"api-version": "1"})) == "/v1/orders/7"


async def test_who_names_none_gets_the_lowest(world: World) -> None:
    assert asked(await world.edge("GET /orders/7")) == "/v1/orders/7"


async def test_an_endpoint_without_version_is_the_default_of_its_path(world: World) -> None:
    answer = await world.edge("GET /orders")
    assert (asked(answer), answer.headers["vary"]) == ("/orders", "api-version"), "caches keep versions apart"
    assert asked(await world.edge("GET /orders", headers={"api-version": "2"})) == "/v2/orders"


@pytest.mark.parametrize("version", ["3", "9", "", "v1", "1, 2", "*"])
@pytest.mark.parametrize("path", ["/orders/7", "/orders"])
async def test_a_version_that_there_is_not_is_refused(world: World, version: str, path: str) -> None:
    answer = await world.edge(f"GET {path}", headers={"api-version": version})
    assert (answer.status, answer.json["type"]) == (400, "urn:shoal:problem:bad-request")


@pytest.mark.parametrize("path", ["/v9/orders/7", "/v3/orders/7", "/v01/orders/7", "/v1/v2/orders/7"])
async def test_paths_of_no_version_are_not_there(world: World, path: str) -> None:
    assert (await world.edge(f"GET {path}")).status == 404


async def test_each_version_has_its_own_access(world: World) -> None:
    assert (await world.edge("GET /v2/orders/7")).status == 401
    assert (await world.edge("GET /orders/7", headers={"api-version": "2"})).status == 401


async def test_literal_paths_stay_closer_than_templates_of_versions(world: World) -> None:
    assert asked(await world.edge("GET /orders/summary", headers={"api-version": "2"})) == "/orders/summary"


async def test_other_methods_are_told_the_right_ones_once(world: World) -> None:
    answer = await world.edge("DELETE /orders/7")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
