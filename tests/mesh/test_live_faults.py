"""Faults begin and end with the next request, on connections in use, for exactly those whom they name."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.local import faults
from shoal.mesh.layout import Pipe
from shoal.model.fault import Edge, Fault
from tests.mesh.samples import TINY, planned
from tests.mesh.wire import Answer
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PLAN = planned(TINY)
TEAPOT = Fault(caller="orders", callee="products", abort=418)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="mesh")
async def start() -> AsyncIterator[World]:
    async with running(TINY) as world, everyone(world):
        yield world


@pytest_asyncio.fixture(loop_scope="module", name="proxy")
async def sound(mesh: World) -> AsyncIterator[tuple[Path, ...]]:
    admin = mesh.layout.admin()
    assert isinstance(admin, Pipe)
    yield (Path(admin.path),)
    await faults.clear((Path(admin.path),), PLAN)


async def call(mesh: World) -> Answer:
    return await mesh.out("orders", "POST /prices", to="products")


async def test_an_abort_answers_at_once_and_reaches_nobody_else(mesh: World, proxy: tuple[Path, ...]) -> None:
    await faults.add(proxy, PLAN, TEAPOT)
    answer = await call(mesh)
    assert (answer.status, answer.headers["content-type"]) == (418, "application/problem+json")
    assert (await mesh.edge("GET /products")).status == 200
    assert await faults.present(proxy, PLAN) == (TEAPOT,)
    await faults.clear(proxy, PLAN, Edge(caller="orders", callee="products"))
    assert (await call(mesh)).status == 200
    assert await faults.present(proxy, PLAN) == ()


async def test_a_connection_in_use_gets_it_and_loses_nothing(mesh: World, proxy: tuple[Path, ...]) -> None:
    where = mesh.layout.outbound("orders")
    assert isinstance(where, Pipe)
    reader, writer = await asyncio.open_unix_connection(where.path)
    line = b"POST /prices HTTP/1.1\r\nhost: products\r\ncontent-length: 0\r\n\r\n"

    async def once() -> int:
        writer.write(line)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        return int(head.split()[1])

    statuses = [await once()]
    for _ in range(20):
        await faults.add(proxy, PLAN, TEAPOT)
        statuses.append(await once())
        await faults.clear(proxy, PLAN)
        statuses.append(await once())
    writer.close()
    assert statuses == [200, *[418, 200] * 20]


async def test_a_delay_makes_a_call_late_and_nothing_worse(mesh: World, proxy: tuple[Path, ...]) -> None:
    loop = asyncio.get_running_loop()
    await faults.add(proxy, PLAN, Fault(caller="orders", callee="products", endpoint="prices", delay=0.3))
    began = loop.time()
    assert (await call(mesh)).status == 200
    assert loop.time() - began > 0.2, "the proxy's clock is coarse"


async def test_a_share_of_the_requests_is_struck(mesh: World, proxy: tuple[Path, ...]) -> None:
    fault = Fault(caller="gateway", callee="products", endpoint="list", abort=503, percent=30)
    await faults.add(proxy, PLAN, fault)
    got = Counter([(await mesh.edge("GET /products")).status for _ in range(300)])
    assert set(got) == {200, 503}
    assert 45 <= got[503] <= 135, "not near 30 %"  # five standard deviations
    assert (await mesh.edge("GET /products/42")).status == 200, "another operation"
    assert await faults.present(proxy, PLAN) == (fault,)


async def test_the_access_log_says_that_it_was_on_purpose(mesh: World, proxy: tuple[Path, ...]) -> None:
    await faults.add(proxy, PLAN, Fault(caller="gateway", callee="products", abort=500))
    await mesh.edge("GET /products", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    async def noted() -> bool:
        lines = [json.loads(line) for line in mesh.access_log().splitlines()]
        return any("FI" in json.dumps(line) for line in lines)

    async with asyncio.timeout(20):
        while not await noted():
            await mesh.edge("GET /products")
