"""Requests and answers change at the edge as declared: paths, headers, query, sizes and compression."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.model.edge import Edge
from shoal.model.service import Endpoint, Method
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.system import Gateway, System
from tests.mesh.samples import INTERNAL, endpoint, service
from tests.mesh.wire import App, _connect
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SMALL = 1000
LARGE = 3 * 1024 * 1024


def shaped(name: str, path: str, edge: Edge, method: Method = "GET") -> Endpoint:
    return replace(endpoint(name, method, path), edge=edge)


CHANGED = Transform(
    request=Headers(set={"X-Tenant": "100%"}, add={"x-via": "edge"}, remove=("Cookie",)),
    response=Headers(set={"cache-control": "no-store"}, remove=("x-inner",)),
    query=Query(set={"source": "web"}, remove=("debug",)),
)
SHOP = service(
    "products",
    shaped("get", "/products/{sku}", Edge(transform=Transform(path="/catalogue/{sku}/page"))),
    shaped("pages", "/{page}", Edge(transform=Transform(path="/open/{page}"))),
    endpoint("secret", "GET", "/products/secret", INTERNAL),
    shaped("changed", "/changed/here", Edge(transform=CHANGED)),
    shaped("small", "/small/body", Edge(largest=SMALL), "POST"),
    shaped("large", "/large/body", Edge(largest=LARGE), "POST"),
    shaped("squeezed", "/squeezed/answer", Edge(compress=True)),
    endpoint("plain", "GET", "/plain/answer"),
)
SHAPED = System(name="tiny", services=(SHOP,), gateway=Gateway())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SHAPED) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def apps(world: World) -> AsyncIterator[dict[str, App]]:
    async with everyone(world) as started:
        yield started


async def test_a_path_is_another_inside(world: World) -> None:
    answer = await world.edge("GET /catalogue/a%20b/page?color=red")
    assert (answer.status, answer.json["path"]) == (200, "/products/a%20b?color=red")
    assert (await world.edge("GET /products/42")).status == 404


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /catalogue/secret/page", 403),
        ("GET /catalogue/%73ecret/page", 403),
        ("GET /catalogue/..%2fhealth/page", 400),
        ("GET /catalogue/../page", 404),
        ("GET /open/health", 404),
        ("GET /open/%68ealth", 404),
        ("GET /open/metrics", 404),
        ("GET /open/openapi.json", 404),
        ("GET /open/about", 200),
    ],
)
async def test_no_other_path_is_reached_through_it(world: World, line: str, status: int) -> None:
    assert (await world.edge(line)).status == status


async def test_headers_change_on_the_way_in(world: World) -> None:
    sent = {"x-tenant": "mine", "cookie": "a=b"}
    seen = (await world.edge("GET /changed/here", headers=sent)).json["headers"]
    assert (seen["x-tenant"], seen["x-via"]) == ("100%", "edge")
    assert "cookie" not in seen


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", "source=web"),
        ("?debug=1&q=red&source=me&debug=2", "q=red&source=web"),
        ("?q=%26source%3Dme&r=a+b%20c", "q=%26source%3Dme&r=a+b%20c&source=web"),
        ("?%64ebug=1&%73ource=me&sourc%65=you", "source=web"),
        ("?q=a?b=c&flag&=x&&", "q=a?b=c&flag&=x&source=web"),
    ],
)
async def test_the_query_changes_and_no_value_becomes_a_parameter(world: World, sent: str, kept: str) -> None:
    assert (await world.edge(f"GET /changed/here{sent}")).json["path"] == f"/changed/here?{kept}"


async def test_headers_change_on_the_way_out(world: World) -> None:
    assert (await world.edge("GET /changed/here")).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await world.edge("GET /plain/answer")).headers


async def test_each_endpoint_has_its_size(world: World, apps: dict[str, App]) -> None:
    for path, size in (("/small/body", SMALL), ("/large/body", LARGE)):
        assert (await world.edge(f"POST {path}", body=b"x" * size)).json["size"] == size
        seen = len(apps["products"].seen)
        refused = await world.edge(f"POST {path}", body=b"x" * (size + 1))
        assert (refused.status, refused.json["type"]) == (413, "urn:shoal:problem:too-large")
        assert len(apps["products"].seen) == seen


LONG = {"x-pad": "pad " * 1000}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("zstd, br, gzip", "zstd"),
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1, zstd;q=0.1", "gzip"),
        ("deflate", ""),
    ],
)
async def test_answers_are_compressed_as_the_client_can(world: World, accepted: str, coding: str) -> None:
    answer = await world.edge("GET /squeezed/answer", headers=LONG | {"accept-encoding": accepted})
    assert answer.headers.get("content-encoding", "") == coding
    assert (len(answer.body) < 1500) == bool(coding)
    if coding == "gzip":
        assert json.loads(gzip.decompress(answer.body))["headers"]["x-pad"] == LONG["x-pad"].strip()
    if coding:
        assert "accept-encoding" in answer.headers["vary"].lower()


async def test_nothing_else_is_compressed(world: World) -> None:
    wanted = {"accept-encoding": "gzip"}
    assert "content-encoding" not in (await world.edge("GET /plain/answer", headers=LONG | wanted)).headers
    assert "content-encoding" not in (await world.edge("GET /squeezed/answer", headers=wanted)).headers, "too small"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "identity, gzip", "x"])
async def test_compressed_requests_are_refused(world: World, apps: dict[str, App], coding: str) -> None:
    seen = len(apps["products"].seen)
    bomb = gzip.compress(b"\0" * 500_000)
    answer = await world.edge("POST /large/body", headers={"content-encoding": coding}, body=bomb)
    assert (answer.status, answer.json["type"]) == (415, "urn:shoal:problem:unsupported-media-type")
    assert answer.headers["accept-encoding"] == "identity"
    assert len(apps["products"].seen) == seen
    assert (await world.edge("POST /large/body", headers={"content-encoding": "Identity"}, body=b"x")).status == 200


async def test_a_body_of_unknown_length_is_refused_when_it_is_too_long(world: World) -> None:
    reader, writer = await _connect(world.layout.edge(), None)
    head = b"POST /small/body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    writer.write(head + b"".join(b"1f4\r\n" + b"x" * 500 + b"\r\n" for _ in range(3)))
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 10)
    writer.transport.abort()
