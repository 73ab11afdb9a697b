"""The mesh's own Envoy passes every row of the table."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.edge.client import sender
from tests.conformance.edge.runner import Reply, Send, Tokens, cases, differences, inventory, run
from tests.conformance.edge.sample import SAMPLE
from tests.conformance.edge.scene import base_of, sampled
from tests.conformance.edge.table import Expect, Row, tables
from tests.mesh.wire import eventually_true
from tests.mesh.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[3]
CASES = [(name, row) for name, row in cases([*tables(), inventory(SAMPLE)]) if row.scheme != "https"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[tuple[World, Tokens]]:
    async with sampled(SAMPLE) as found:
        yield found


@pytest.mark.live
@pytest.mark.parametrize(("name", "row"), CASES, ids=[name for name, _ in CASES])
async def test_the_gateway_does_as_the_table_says(scene: tuple[World, Tokens], name: str, row: Row) -> None:
    world, tokens = scene
    settled = sender(base_of(world))
    if row.expect.shares:  # routes reach Envoy within moments; whoever asks by name finds out
        await eventually_true(lambda: _divided(settled))
    assert await run(row, settled, tokens) == ()


async def _divided(send: Send) -> bool:
    reply = await send("GET", "/seats", {"shoal-version": "canary"}, b"", False)
    return b'"version": "canary"' in reply.body


@pytest.mark.live
async def test_the_inventory_of_any_system_is_checked_by_command(scene: tuple[World, Tokens]) -> None:
    command = (sys.executable, "-m", "tests.conformance.edge", "--base", base_of(scene[0]))
    for system, code in (("tests.conformance.edge.sample:SAMPLE", 0), ("tests.mesh.samples:TINY", 1)):
        process = await asyncio.create_subprocess_exec(*command, "--system", system, cwd=ROOT, stdout=PIPE)
        said, _ = await process.communicate()
        assert process.returncode == code, said
        assert (b" 0 differ" in said) == (code == 0)


async def test_the_table_is_data() -> None:
    for table in tables():
        assert table.about
        assert len({row.name for row in table.rows}) == len(table.rows), table.capability
    assert not [f for f in (Path(__file__).parent / "rows").iterdir() if f.suffix != ".toml"]


async def test_answers_that_differ_together_are_found() -> None:
    echo = {"app": "seats", "version": "", "path": "/", "number": 1, "headers": {}}
    same = Reply(status=200, headers={"content-type": "application/json"}, body=json.dumps(echo).encode())

    async def kept(*_: object) -> Reply:
        return same

    expect = Expect(reach=3, shares={"seats": (0.2, 0.8), "seats@canary": (0.2, 0.8)})
    assert len(await run(Row(name="x", path="/", times=3, expect=expect), kept, {})) == 3
    assert await run(Row(name="x", path="/", expect=Expect(reach=1, shares={"seats": (1, 1)})), kept, {}) == ()
    assert len(await run(Row(name="x", path="/", expect=Expect(silent=True)), kept, {})) == 1


async def test_a_gateway_that_differs_is_found() -> None:
    expect = Expect(
        status=404, problem="not-found", service="-", headers={"server": "edge"}, absent=("x-*",), received={"a": "1"}
    )
    echo = {"app": "catalog", "path": "/", "headers": {}}
    headers = {"content-type": "application/json", "x-inside": "1"}
    wrong = Reply(status=200, headers=headers, body=json.dumps(echo).encode())
    assert len(list(differences(expect, wrong))) == 6
    document = {"type": "urn:shoal:problem:not-found", "title": "Nothing is here", "status": 404}
    right = Reply(
        status=404,
        headers={"content-type": "application/problem+json", "server": "edge"},
        body=json.dumps(document).encode(),
    )
    assert list(differences(expect, right)) == []
