"""What a service tells of itself stays inside, also when a template of the author's would match its path."""

from pathlib import Path

import pytest

from shoal import Service, System, Transform, anyone
from shoal.mesh.compile import compile_static
from shoal.mesh.layout import layout_for
from shoal.model import plan
from shoal.model.service import RESERVED_PATHS
from shoal.model.target import LOCAL
from shoal.service.describe import describe
from tests.runtime.world import running

pages = Service("pages")
system = System("t", services=[pages])


@pages.get("/{slug}", access=anyone)
async def page(slug: str) -> str:
    return slug


@pytest.mark.parametrize("path", RESERVED_PATHS)
async def test_the_gateway_of_one_process_shows_no_probe(tmp_path: Path, path: str) -> None:
    async with running(system, tmp_path) as world:
        assert (await world.get("/about")).status == 200
        assert (await world.get(path)).status == 404
        assert (await world.direct("pages", "GET", path)).status == 200


@pytest.mark.parametrize("path", RESERVED_PATHS)
def test_the_edge_of_the_mesh_shows_no_probe(path: str) -> None:
    planned = plan(describe(system), LOCAL).require()
    artifact = compile_static(planned, layout_for(planned, root="/r"))
    refusal, template = artifact.text.find(f'"reserved {path}"'), artifact.text.find('"pages.page"')
    assert 0 < refusal < template


renamed = Service("renamed")
outside = System("t", services=[renamed])


@renamed.get("/products/{sku}/notes/{note}", access=anyone, transform=Transform(path="/n/{note}/of/{sku}"))
async def noted(sku: str, note: str) -> str:
    return f"{sku} {note}"


async def test_the_gateway_of_one_process_knows_paths_by_their_public_name(tmp_path: Path) -> None:
    async with running(outside, tmp_path) as world:
        assert (await world.get("/n/a%20b/of/x%2fy")).json() == "x/y a b"
        assert (await world.get("/products/x/notes/a")).status == 404
