"""The real Envoy's lines are understood: one request for each cause."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from shoal.errors import ShoalError
from shoal.local.evidence import hops_of
from shoal.local.probe import until
from shoal.mesh.layout import Pipe
from shoal.mesh.why import Explanation, explain
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit
from shoal.model.service import Access, Call, Endpoint, Policy, Service
from shoal.model.system import Gateway, System
from shoal.model.traffic import Traffic
from tests.mesh.samples import AUTH, INTERNAL, ISSUER, PRINCIPAL, endpoint, planned, service
from tests.mesh.wire import Answer, App, ask
from tests.mesh.world import World, eventually, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


def at(line: int, declared: Endpoint, edge: Edge | None = None) -> Endpoint:
    return msgspec.structs.replace(declared, source=f"app.py:{line}", edge=edge or declared.edge)


PRODUCTS = service(
    "products",
    at(10, endpoint("list", "GET", "/products")),
    at(11, endpoint("get", "GET", "/products/{sku}", policy=Policy(timeout=0.3))),
    at(12, endpoint("remove", "DELETE", "/products/{sku}", PRINCIPAL)),
    at(13, endpoint("search", "GET", "/search"), Edge(limit=RateLimit(requests=1, per=3600, by="everyone"))),
    at(14, endpoint("upload", "POST", "/uploads")),
    at(15, endpoint("prices", "POST", "/prices", INTERNAL)),
    at(16, endpoint("refund", "POST", "/refunds", Access(roles=("admin",), scopes=("refund",)))),
)
ORDERS = Service(
    name="orders",
    entry="orders:orders",
    source="app.py:30",
    endpoints=(at(31, endpoint("place", "GET", "/orders")),),
    calls=(
        Call(service="products", endpoint="prices", policy=Policy(timeout=0.2), source="app.py:32"),
        Call(service="gone", endpoint="work", source="app.py:33"),
    ),
)
NARROW = Service(
    name="narrow",
    entry="narrow:narrow",
    source="app.py:50",
    endpoints=(at(51, endpoint("hold", "GET", "/hold")),),
    traffic=Traffic(requests=1),
)
GONE = Service(
    name="gone", entry="gone:gone", source="app.py:40", endpoints=(at(41, endpoint("work", "GET", "/gone")),)
)
SYSTEM = System(name="causes", services=(PRODUCTS, ORDERS, NARROW, GONE, AUTH), gateway=Gateway(issuer=ISSUER))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started, everyone(started) as apps:
        APPS.update(apps)
        yield started


APPS: dict[str, App] = {}


async def why(world: World, wanted: str) -> Explanation:
    """Explain a request once its lines are there, that of the first hop last."""

    async def there() -> Explanation | None:
        with contextlib.suppress(ShoalError, FileNotFoundError):
            return explain(hops_of(Path(world.layout.access()), wanted), planned(SYSTEM))
        return None

    async with asyncio.timeout(20):
        return await until(there)


async def edge(world: World, line: str, **more: Any) -> Explanation:
    """Ask at the edge, under a trace of its own, and explain the answer."""
    trace = f"{abs(hash((line, str(more)))):032x}"[-32:]
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", **more.pop("headers", {})}
    answer = await world.edge(line, headers=headers, **more)
    return await _agreed(world, trace, answer)


async def out(world: World, line: str, to: str, headers: Mapping[str, str] | None = None) -> Explanation:
    trace = f"out-{abs(hash((line, to, str(headers)))):028x}"
    answer = await world.out("orders", line, to=to, headers={"x-trace-id": trace, **(headers or {})})
    return await _agreed(world, trace, answer)


async def _agreed(world: World, trace: str, answer: Answer) -> Explanation:
    found = await why(world, trace)
    assert found.status == answer.status
    return found


@pytest.mark.parametrize(
    ("line", "cause", "declared", "words"),
    [
        ("GET /products", "answered", "app.py:10", "products.list answered 200"),
        ("GET /product", "no-route", "app.py:10", "the closest is GET /products"),
        ("GET /nothing/of/the/kind/anywhere", "no-route", "", "nothing that the gateway serves"),
        ("PUT /products/1", "wrong-method", "app.py:11", "declared there: DELETE, GET"),
        ("DELETE /products/1", "unauthenticated", "app.py:12", "bore no token"),
    ],
)
async def test_what_the_edge_decides(world: World, line: str, cause: str, declared: str, words: str) -> None:
    found = await edge(world, line)
    assert (found.cause, found.declared, found.strange) == (cause, declared, ())
    assert words in found.reason


async def test_tokens_are_told_apart(world: World) -> None:
    for claims, words in (({"exp": 1}, "has expired"), ({"aud": "other"}, "for another audience")):
        found = await edge(world, "DELETE /products/1", headers=world.bearer(world.token(claims)))
        assert (found.cause, found.status, words in found.reason) == ("unauthenticated", 401, True), found


async def test_a_principal_who_lacks_a_role(world: World) -> None:
    found = await edge(world, "POST /refunds", headers=world.bearer())
    assert (found.cause, found.declared, found.status) == ("denied", "app.py:16", 403)
    assert "asks for one of the roles admin and the scopes refund" in found.reason


async def test_a_limit(world: World) -> None:
    await edge(world, "GET /search?n=1")
    found = await edge(world, "GET /search?n=2")
    assert (found.cause, found.declared, found.status) == ("limited", "app.py:13", 429)
    assert "1 per 3600 s" in found.reason


async def test_a_large_body(world: World) -> None:
    found = await edge(world, "POST /uploads", body=b"x" * (1024 * 1024 + 1))
    assert (found.cause, found.declared, found.status) == ("too-large", "app.py:14", 413)
    assert "1048576 bytes" in found.reason


async def test_a_malformed_request(world: World) -> None:
    await world.edge("GET /products", headers={"x_user": "a"})

    async def there() -> Explanation | None:
        found = await why(world, "")
        return found if found.cause == "malformed" else None

    async with asyncio.timeout(20):
        found = await until(there)
    assert (found.status, found.declared) == (400, "")
    assert "underscore" in found.reason


async def test_a_slow_operation(world: World) -> None:
    found = await edge(world, "GET /products/1", headers={"x-test-hold": "1"})
    assert (found.cause, found.declared, found.status) == ("timed-out", "app.py:11", 504)
    assert "products.get gave no answer within 0.3 s" in found.reason


async def test_a_slow_call(world: World) -> None:
    found = await out(world, "POST /prices", "products", {"x-test-hold": "1"})
    assert (found.cause, found.declared, found.hop) == ("timed-out", "app.py:32", "outbound.orders")
    assert "within 0.2 s" in found.reason


async def test_less_time_than_declared(world: World) -> None:
    found = await out(world, "POST /prices", "products", {"x-test-hold": "1", "x-envoy-upstream-rq-timeout-ms": "20"})
    assert found.cause == "timed-out"
    assert "left of the caller's time" in found.reason


async def test_an_undeclared_call(world: World) -> None:
    found = await out(world, "GET /products", "products")
    assert (found.cause, found.declared) == ("undeclared", "app.py:30")
    assert "orders has not declared a call of products as GET /products" in found.reason


async def test_a_stranger_who_has_a_certificate(world: World) -> None:
    headers = {"x-trace-id": "thief-of-a-certificate"}
    answer = await ask(world.layout.inbound("products"), "POST /prices", headers=headers, tls=world.holder("narrow"))
    found = await _agreed(world, "thief-of-a-certificate", answer)
    assert (found.cause, found.declared, found.status) == ("denied", "app.py:15", 403)
    assert found.reason == "narrow may not call products.prices; orders may"


async def test_more_than_a_service_takes(world: World) -> None:
    held = asyncio.create_task(world.edge("GET /hold", headers={"x-test-hold": "1"}))
    app = APPS["narrow"]
    async with asyncio.timeout(20):
        await until(lambda: _some(app))
    found = await edge(world, "GET /hold")
    app.release.set()
    assert (await held).status == 200
    assert (found.cause, found.declared, found.status) == ("breaker-open", "app.py:50", 503)
    assert "1 requests" in found.reason


async def _some(app: App) -> bool | None:
    return bool(app.seen) or None


async def test_what_became_of_the_replicas(world: World) -> None:
    world.point("gone")
    await eventually(world, f"gone::{world.layout.replica('gone', 0).path}::", gone=True)
    found = await edge(world, "GET /gone")
    assert (found.cause, found.declared, found.hop, found.status) == ("no-replica", "app.py:40", "inbound.gone", 503)
    called = await out(world, "GET /gone", "gone")
    assert (called.cause, called.hop) == ("no-replica", "inbound.gone")
    nowhere = Pipe(path=f"{world.layout.sockets}/nowhere")
    world.point("gone", nowhere)
    await eventually(world, f"gone::{nowhere.path}::")
    refused = await edge(world, "GET /gone?again")
    assert (refused.cause, refused.declared) == ("refused", "app.py:40"), refused
    rude = Pipe(path=f"{world.layout.sockets}/rude")
    server = await asyncio.start_unix_server(_hang_up, rude.path)
    world.point("gone", rude)
    await eventually(world, f"gone::{rude.path}::")
    found = await edge(world, "GET /gone?more")
    server.close()
    assert (found.cause, found.declared) == ("reset", "app.py:41"), found


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def test_what_the_service_itself_answers(world: World) -> None:
    found = await edge(world, "GET /products", headers={"x-test-status": "418"})
    assert (found.cause, found.declared, found.hop) == ("service", "app.py:10", "inbound.products")
    assert found.reason == "products.list itself answered 418"
    assert [step.hop for step in found.steps] == ["edge", "inbound.products"]


async def test_an_unknown_id_says_what_to_do(world: World) -> None:
    await edge(world, "GET /products?first")
    with pytest.raises(ShoalError, match="no hop has seen") as unknown:
        hops_of(Path(world.layout.access()), "00000000-dead")
    assert "trace_id of a problem document" in unknown.value.hint
    with pytest.raises(ShoalError, match="too short"):
        hops_of(Path(world.layout.access()), "0af")


async def test_envoy_itself_complains_of_nothing(world: World) -> None:
    assert not [line for line in world.lines if "OTLP" in line]


async def test_no_line_has_what_is_unknown_to_the_tables(world: World) -> None:
    for text in world.access_log().splitlines():
        line = json.loads(text)
        assert explain(hops_of(Path(world.layout.access()), line["request_id"] or ""), planned(SYSTEM)).strange == ()
