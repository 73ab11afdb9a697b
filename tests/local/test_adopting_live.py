"""A declaration that one of several real Envoys refuses is in force at none of them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from shoal import model
from shoal.errors import EngineError
from shoal.local import adopt, proxies
from shoal.local.admin import admin_of
from shoal.local.engines.recipe import start
from shoal.local.ports import free_port
from shoal.local.probe import get
from shoal.local.site import Site
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit
from shoal.model.system import System
from shoal.model.target import LOCAL, with_options
from tests.local import stand_ins
from tests.mesh.samples import OPEN_PRODUCTS, PAIR, endpoint
from tests.mesh.wire import eventually_true

pytestmark = pytest.mark.live


@contextlib.asynccontextmanager
async def sidecars(folder: Path) -> AsyncIterator[Site]:
    """Run the proxies of two services, each with its own, and of the edge."""
    async with contextlib.AsyncExitStack() as stack:
        target = replace(with_options(LOCAL, port=free_port()), mesh="sidecars")
        site = await stack.enter_async_context(stand_ins.site(PAIR, folder, target))
        assert site.mesh is not None
        for name in proxies.proxies(site.plan, site.mesh):
            recipe = proxies.recipe(site.plan, site.mesh, name)
            running = await start(recipe, on_line=lambda _: None)
            stack.push_async_callback(running.process.stop)
        yield site


def declared(*, limit: RateLimit | None) -> System:
    """Add an operation, and limit another one."""
    first, *others = OPEN_PRODUCTS.endpoints
    found = replace(
        OPEN_PRODUCTS,
        endpoints=(replace(first, edge=Edge(limit=limit)), *others, endpoint("new", "GET", "/new")),
    )
    return replace(PAIR, services=(found, *PAIR.services[1:]))


def written(site: Site) -> dict[Path, str]:
    assert site.mesh is not None
    roots = [Path(layout.root) for layout in proxies.proxies(site.plan, site.mesh).values()]
    return {path: path.read_text("utf-8") for root in roots for path in root.rglob("*.json") if "eds" not in path.parts}


async def serving(site: Site, name: str, route: str) -> bool:
    """Tell whether a proxy has a route."""
    assert site.mesh is not None
    place = admin_of(proxies.proxies(site.plan, site.mesh)[name])
    return f'"{route}"'.encode() in (await get(place, "/config_dump")).body


async def test_what_one_proxy_refuses_is_turned_back_at_all(tmp_path: Path) -> None:
    async with sidecars(tmp_path) as site:
        before = written(site)
        shared = RateLimit(
            requests=1, per=60, burst=8, by="everyone", shared=True
        )  # asks for more than a running edge has
        bad = model.plan(declared(limit=shared), site.plan.target).require()
        with pytest.raises(EngineError, match="not in force: envoy refuses the listeners"):
            await adopt.adopt(bad, site, {}, {})
        assert written(site) == before
        for name in ("envoy", "envoy-products"):

            async def as_before(name: str = name) -> bool:
                return await serving(site, name, "products.list") and not await serving(site, name, "products.new")

            await eventually_true(as_before)
        good = model.plan(declared(limit=None), site.plan.target).require()
        found = await adopt.adopt(good, site, {}, {})
        assert found.plan == good
        assert await serving(found, "envoy-products", "products.new")
        assert written(found) != before
