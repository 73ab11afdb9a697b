"""Every row of the edge, at the gateway that is rendered: as on the laptop, or as a finding says."""

from collections.abc import AsyncIterator
from functools import cache

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Environment, Mesh, Second
from tests.conformance.edge.client import sender
from tests.conformance.edge.runner import Send, Tokens, cases, inventory, run
from tests.conformance.edge.sample import CANARY, SAMPLE
from tests.conformance.edge.scene import keys_of, kinds
from tests.conformance.edge.table import Row, tables
from tests.deploy.samples import scope_of
from tests.mesh.world import key_set, new_signer
from tests.twice import compare
from tests.twice.scene import Document, built, proven

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.live]

MESHES: tuple[Mesh, ...] = ("istio", "istio-ambient", "linkerd")
KEYS = "https://edge.example/.well-known/jwks.json"
BASE = "https://127.0.0.1"
_NAMES = {*(row.token for table in tables() for row in table.rows), *(r.key for t in tables() for r in t.rows)}
CASES = {name: row for name, row in cases([*tables(), inventory(SAMPLE)]) if row.holds(BASE, _NAMES)}


def environment(mesh: Mesh) -> Environment:
    """Ask for what the rows are about: a second version of `seats`."""
    second = Second(version="2.0.0", name=CANARY.version, weight=round(CANARY.weight), override="anyone")
    return Environment(name="proof", namespace="edge", mesh=mesh, hosts=("edge.example",), splits={"seats": second})


@cache
def documents(mesh: Mesh) -> tuple[Document, ...]:
    """Build it once for all tests; nobody changes it."""
    return tuple(built(SAMPLE, environment(mesh)))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=MESHES)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Mesh, Send, Tokens]]:
    mesh: Mesh = request.param
    signer = new_signer("one")
    tokens = {**kinds(signer), **keys_of(SAMPLE)[0]}
    async with proven(documents(mesh), mesh, keys={KEYS: key_set(signer)}) as world:
        yield mesh, sender(f"{BASE}:{world.place.port}", world.root.certificate, world.names), tokens


async def test_each_row_is_met_or_its_difference_is_a_finding(scene: tuple[Mesh, Send, Tokens]) -> None:
    mesh, send, tokens = scene
    found = {
        name: {compare.short(one) for one in await run(_spelled(row), send, tokens)} for name, row in CASES.items()
    }
    differing = {name: some for name, some in found.items() if some}
    compare.update(mesh, differing)
    assert differing == compare.by_row(compare.known(mesh))
    assert len(found) > 200


def _spelled(row: Row) -> Row:
    """Expect the gateway's identity as Istio spells it."""
    own, other = "spiffe://edge/gateway", "spiffe://cluster.local/ns/edge/sa/edge-istio"
    received = {name: value.replace(own, other) for name, value in row.expect.received.items()}
    return replace(row, expect=replace(row.expect, received=received))


async def test_slashes_are_read_as_on_the_laptop_where_istio_is_installed_so() -> None:
    told = compare.known("istio")["DEPLOY-MESH-17"]
    rows = {row for some in told.values() for row in some}
    async with proven(documents("istio"), keys={KEYS: key_set(new_signer("one"))}, merging=True) as world:
        send = sender(f"{BASE}:{world.place.port}", world.root.certificate, world.names)
        assert rows
        assert not [await run(CASES[name], send, {}) for name in rows if await run(CASES[name], send, {})]


@pytest.mark.parametrize("mesh", MESHES)
async def test_every_finding_of_the_table_is_one_that_the_command_prints(mesh: Mesh) -> None:
    printed = {finding.code for finding in findings(scope_of(SAMPLE, environment(mesh)))}
    assert set(compare.known(mesh)) <= printed
