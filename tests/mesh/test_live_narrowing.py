"""Routes by host and by header: there for those who are meant, and not there for anybody else."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal import Service, anyone
from shoal import System as AuthorsSystem
from shoal.errors import DeclarationError
from shoal.model.edge import Edge
from shoal.model.only import Only
from shoal.model.service import Endpoint
from shoal.model.system import Gateway, System, from_json, to_json
from shoal.model.versioning import Version
from tests.mesh.samples import endpoint, service
from tests.mesh.world import World, everyone, running
from tests.runtime.world import running as together

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

HOSTS, APP = ("partner.shop.example", "b2b.shop.example"), {"x-channel": "app"}


def narrow(name: str, path: str, only: Only) -> Endpoint:
    return replace(endpoint(name, "GET", path), edge=Edge(only=only))


OLD = endpoint("old", "GET", "/v1/old")
SYSTEM = System(
    name="tiny",
    services=(
        service(
            "shop",
            narrow("offers", "/offers", Only(hosts=HOSTS)),
            narrow("news", "/news", Only(headers=APP)),
            narrow("both", "/both/{number}", Only(hosts=HOSTS, headers=APP)),
            endpoint("any", "GET", "/any"),
            endpoint("write", "POST", "/offers"),
            replace(OLD, edge=Edge(version=Version(number=1, path="/old"), only=Only(hosts=HOSTS))),
        ),
    ),
    gateway=Gateway(),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started, everyone(started):
        yield started


PARTNER = {"host": "partner.shop.example"}


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /offers", PARTNER, 200),
        ("GET /offers", {"host": "B2B.Shop.Example:8443"}, 200),
        ("GET /offers", {}, 404),
        ("GET /offers", {"host": "evil-partner.shop.example"}, 404),
        ("GET /offers", {"host": "partner.shop.example.evil.example"}, 404),
        ("GET /offers", {"host": "partnerxshop.example"}, 404),
        ("GET /offers", {"x-forwarded-host": "partner.shop.example"}, 404),
        ("POST /offers", {}, 200),
        ("PUT /offers", PARTNER, 405),
        ("GET /news", APP, 200),
        ("GET /news", {"x-channel": "apps"}, 404),
        ("GET /news", {}, 404),
        ("GET /both/7", PARTNER | APP, 200),
        ("GET /both/7", PARTNER, 404),
        ("GET /both/7", APP, 404),
        ("GET /any", {"host": "anything.example"}, 200),
        ("GET /old", PARTNER, 200),
        ("GET /old", {}, 404),
        ("GET /old", {"api-version": "9"}, 404),
        ("GET /old", PARTNER | {"api-version": "9"}, 400),
    ],
)
async def test_it_is_there_for_those_who_are_meant(
    world: World, line: str, headers: Mapping[str, str], status: int
) -> None:
    answer = await world.edge(line, headers=headers)
    assert answer.status == status, answer
    if status == 404:
        assert answer.json["type"] == "urn:shoal:problem:not-found"


async def test_it_survives_as_json_and_nonsense_is_refused() -> None:
    assert from_json(to_json(SYSTEM)) == SYSTEM
    for host in ("", "https://a.example", "a.example:80", "*.example", "A.example", "10.0.0.1", "a..b"):
        with pytest.raises(DeclarationError, match="no name of a host"):
            Only(hosts=(host,))
    for header in ({"X-A": "b"}, {"x-real-ip": "1"}, {"authorization": "x"}, {"x-a": ""}, {"x-a": "b\r\nc: d"}):
        with pytest.raises(DeclarationError, match="no route can be chosen"):
            Only(headers=header)


shop = Service("shop")


@shop.get("/offers", access=anyone, only=Only(hosts=HOSTS, headers=APP))
async def offers() -> str:
    return "offers"


async def test_one_process_does_the_same(tmp_path: Path) -> None:
    async with together(AuthorsSystem("t", services=[shop]), tmp_path) as single:
        for headers, status in ((PARTNER | APP, 200), (PARTNER, 404), (APP, 404), ({}, 404)):
            assert (await single.send("GET", "/offers", headers, b"")).status == status
