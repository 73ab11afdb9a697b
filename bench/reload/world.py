"""A running mesh without services: Envoy as `shoal run` starts it, and applications that say their name."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

from shoal import files
from shoal.local import layout, proxies, world
from shoal.local.engines.recipe import start
from shoal.local.ports import free_port
from shoal.local.site import Site
from shoal.mesh.endpoints import endpoints
from shoal.mesh.layout import Layout, Pipe
from shoal.model.plan import Plan, plan
from shoal.model.service import Access, Endpoint, Service
from shoal.model.system import Gateway, System
from shoal.model.target import LOCAL, with_options

SERVICE, STEADY, NEW = "shop", "/steady", "/new"


def system(*, grown: bool) -> System:
    """Declare one operation, or two."""
    paths = (STEADY, NEW) if grown else (STEADY,)
    found = tuple(Endpoint(name=path[1:], method="GET", path=path, access=Access(kind="anyone")) for path in paths)
    return System(name="reload", services=(Service(name=SERVICE, entry="a:b", endpoints=found),), gateway=Gateway())


def planned(port: int, *, grown: bool) -> Plan:
    """Plan it behind a port."""
    return plan(system(grown=grown), with_options(LOCAL, port=port)).require()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[tuple[int, Layout]]:
    """Run Envoy until the block ends; yields the gateway's port, and where Envoy's files lie."""
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as folder:
        port, place = free_port(), layout.layout_of(Path(folder))
        layout.make(place)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(layout.clear, place)
            site: Site = world.settle(planned(port, grown=False), place)
            assert site.mesh is not None, "the gateway is Envoy"
            world.write_mesh(site)
            proxy = await start(proxies.recipe(site.plan, site.mesh, proxies.FIRST), on_line=lambda _: None)
            stack.push_async_callback(proxy.process.stop)
            for name in ("one", "two"):
                where = replica(site.mesh, name)
                server = await asyncio.start_unix_server(_application(name), where.path)
                stack.callback(server.close)
            yield port, site.mesh


def replica(mesh: Layout, name: str) -> Pipe:
    """Locate one of the applications."""
    return Pipe(path=str(Path(mesh.sockets) / f"{name}.app"))


def point(mesh: Layout, name: str) -> None:
    """Make this application the only replica, as the supervisor does when it replaces one."""
    files.write(Path(mesh.root), [endpoints(SERVICE, (replica(mesh, name),))])


def _application(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {len(name)}\r\n\r\n{name}".encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head)
                await writer.drain()
        writer.close()

    return serve
