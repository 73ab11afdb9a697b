"""The mesh's own Envoy passes every row of the table."""

import asyncio
import base64
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.mesh.layout import Tcp
from tests.conformance.edge.client import sender
from tests.conformance.edge.runner import Reply, Tokens, cases, differences, inventory, run
from tests.conformance.edge.sample import ISSUER, SAMPLE
from tests.conformance.edge.table import Expect, Row, tables
from tests.mesh.world import World, everyone, new_signer, running

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[3]
CASES = cases([*tables(), inventory(SAMPLE)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SAMPLE) as started, everyone(started):
        yield started


@pytest.fixture(scope="module")
def tokens(world: World) -> Tokens:
    own = {"iss": ISSUER.name, "aud": ISSUER.audience}
    valid = world.token(own)
    claims = valid.split(".")[1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return {
        "valid": valid,
        "clerk": world.token({**own, "roles": ["clerk"]}),
        "exporter": world.token({**own, "scope": "orders:export other orders:read"}),
        "reader": world.token({**own, "scope": "orders:read orders:exporter"}),
        "expired": world.token({**own, "exp": 1}),
        "early": world.token({**own, "nbf": 32503680000}),
        "other-audience": world.token({**own, "aud": "another-api"}),
        "other-issuer": world.token({**own, "iss": "https://another.example"}),
        "forged": world.token(own, key=new_signer("one")),
        "unsigned": f"{unsigned}.{claims}.",
        "endless": world.token(own, without=("exp",)),
        "stripped": valid.rpartition(".")[0] + ".",
    }


@pytest.mark.live
@pytest.mark.parametrize(("name", "row"), CASES, ids=[name for name, _ in CASES])
async def test_the_gateway_does_as_the_table_says(world: World, tokens: Tokens, name: str, row: Row) -> None:
    edge = world.layout.edge()
    assert isinstance(edge, Tcp)
    assert await run(row, sender(f"http://{edge.host}:{edge.port}"), tokens) == ()


@pytest.mark.live
async def test_the_inventory_of_any_system_is_checked_by_command(world: World) -> None:
    edge = world.layout.edge()
    assert isinstance(edge, Tcp)
    command = (sys.executable, "-m", "tests.conformance.edge", "--base", f"http://{edge.host}:{edge.port}")
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
