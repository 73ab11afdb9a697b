"""Every call between services, by what is rendered: as on the laptop, or as a finding says."""

from collections.abc import AsyncIterator
from functools import cache

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Environment, Mesh
from shoal.mesh.layout import Pipe
from tests.conformance.edge.client import sender
from tests.conformance.edge.runner import Reply
from tests.conformance.mesh import bounds
from tests.conformance.mesh.sample import SAMPLE
from tests.conformance.mesh.scene import Ways
from tests.conformance.mesh.table import Row, cases, run
from tests.deploy.samples import scope_of
from tests.twice import compare
from tests.twice.scene import Document, Twice, built, proven

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.live]

MESHES: tuple[Mesh, ...] = ("istio", "istio-ambient", "linkerd")
CASES = cases()


def environment(mesh: Mesh) -> Environment:
    return Environment(name="proof", namespace="calls", mesh=mesh)


@cache
def documents(mesh: Mesh) -> tuple[Document, ...]:
    """Build it once for all tests; nobody changes it."""
    return tuple(built(SAMPLE, environment(mesh)))


def ways(world: Twice, *, ambient: bool) -> Ways:
    """Call as pods do: by the proxy in one's own, or through the tunnel of a node, which shows the caller's name."""

    def name(caller: str) -> str:
        return world.cluster.identity("edge-istio" if caller == "gateway" else caller)

    def out(row: Row) -> Pipe | None:
        return None if ambient else Pipe(path=world.place.outbound(row.caller))

    def door(service: str) -> Pipe:
        return Pipe(path=world.place.waypoint(service) if ambient else world.place.inbound(service))

    send = sender(f"https://127.0.0.1:{world.place.port}", world.root.certificate, world.names)

    async def front(row: Row) -> Reply:
        return await send(row.method, row.path, row.headers, b"", False)

    return Ways(root=world.root, name=name, out=out, door=door, front=front)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=MESHES)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Mesh, Ways, Twice]]:
    mesh: Mesh = request.param
    async with proven(documents(mesh), mesh) as world:
        yield mesh, ways(world, ambient=mesh == "istio-ambient"), world


async def test_each_row_is_met_or_its_difference_is_a_finding(scene: tuple[Mesh, Ways, Twice]) -> None:
    mesh, way, world = scene
    found = {name: {compare.short(one) for one in await run(spelled(row), way.call)} for name, row in CASES.items()}
    for bound in bounds.BOUNDS:
        found[f"bounds: {bound.__name__.replace('_', ' ')}"] = {compare.short(o) for o in await bound(way, world.apps)}
    differing = {name: some for name, some in found.items() if some}
    compare.update(f"{mesh}-calls", differing)
    assert differing == compare.by_row(compare.known(f"{mesh}-calls"))


def spelled(row: Row) -> Row:
    """Expect identities as Istio spells them."""
    received = {
        name: value.replace("spiffe://calls/", "spiffe://cluster.local/ns/calls/sa/")
        for name, value in row.expect.received.items()
    }
    return replace(row, expect=replace(row.expect, received=received))


@pytest.mark.parametrize("mesh", MESHES)
async def test_every_finding_of_the_table_is_one_that_the_command_prints(mesh: Mesh) -> None:
    printed = {finding.code for finding in findings(scope_of(SAMPLE, environment(mesh)))}
    assert set(compare.known(f"{mesh}-calls")) <= printed
