"""Take over a changed declaration while everything runs: routes, access, permissions, streams and consumers."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shoal import files
from shoal.errors import DeclarationError, EngineError, HostError, ShoalError
from shoal.local import provision, proxies, taking, turning, world
from shoal.local.admin import admin_of
from shoal.local.environment import service_environment
from shoal.local.one_process import Single
from shoal.local.process import Command, base_environment, run
from shoal.local.replicas import Replicas
from shoal.local.reporter import Reporter
from shoal.local.servers.table import SERVERS
from shoal.local.site import Site
from shoal.local.unit import Unit
from shoal.mesh.bootstrap import BOOTSTRAP
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Layout as MeshLayout
from shoal.model import catalog
from shoal.model.plan import Plan
from shoal.model.system import System, from_json


async def declared(root: Path, entry: str) -> System:
    """Read the system's declaration in a process of its own, since ours remembers the old one.

    Raises:
        DeclarationError: It is impossible; the message says why.
    """
    command = Command(
        name="describe",
        argv=(sys.executable, "-m", "shoal.cli", "-C", str(root), "--system", entry, "describe", "-o", "json"),
        cwd=root,
        env=base_environment({"PYTHONPATH": world.python_path(root), "NO_COLOR": "1"}),
    )
    finished = await run(command)
    if finished.code:
        message, _, hint = finished.output.removeprefix("error: ").partition("\nhint: ")
        raise DeclarationError(message, hint=hint)
    return from_json(finished.output.encode())


def same(one: System, other: System) -> bool:
    """Say whether two declarations mean the same, wherever their lines are."""
    return bool(_meaning(msgspec.to_builtins(one)) == _meaning(msgspec.to_builtins(other)))


def adoptable(site: Site, new: Plan) -> bool:
    """Say whether a running system can become the new plan: the same processes, with other rights and routes."""
    old = site.plan
    return (
        old.engines == new.engines
        and old.externals == new.externals
        and old.system.gateway == new.system.gateway
        and [s.name for s in old.services] == [s.name for s in new.services]
        and all(
            (a.entry, a.store, a.cache) == (b.entry, b.store, b.cache)
            for a, b in zip(old.services, new.services, strict=True)
        )
        and (site.mesh is None or _bootstraps(old, site.mesh) == _bootstraps(new, site.mesh))
    )


def _bootstraps(plan: Plan, mesh: MeshLayout) -> list[str]:
    """Print what each proxy reads at its start only."""
    layouts = proxies.proxies(plan, mesh).values()
    return [a.text for layout in layouts for a in compile_mesh(plan, layout) if a.path == BOOTSTRAP]


async def adopt(plan: Plan, old: Site, engines: Mapping[str, Unit], replicas: Mapping[str, Replicas]) -> Site:
    """Let everything that runs on the site `old` follow `plan`, and return its new site.

    Proxies come first, since one of them may refuse.

    Raises:
        EngineError: One refuses, or the broker does; all are led and ruled as before. Streams that the broker has made
            by then stay, and nobody uses them.
    """
    site = world.settle(plan, old.layout, ports=old.ports)
    if site.mesh is not None:
        await _follow(old, plan, site.mesh)
    try:
        await _rule(site, engines)
        await _declare(site, engines)
    except BaseException:
        try:
            if old.mesh is not None:
                await turning.back(old)
        finally:
            with contextlib.suppress(HostError):
                await _rule(old, engines)
        raise
    for name, each in replicas.items():
        each.follow(site, plan.service(name))
    return site


async def _rule(site: Site, engines: Mapping[str, Unit]) -> None:
    """Let engines follow the rules of a site, now and at their next start."""
    for name, engine in engines.items():
        engine.follow(world.engine_recipe(site, name))
        server = SERVERS.get(name)
        if server is not None and server.renew is not None:
            await server.renew(site, engine)


async def _declare(site: Site, engines: Mapping[str, Unit]) -> None:
    """Declare streams and consumers at the broker, if it runs, or runs elsewhere."""
    name = catalog.server(site.world.broker)
    broker = engines.get(name)
    if site.world.broker_url or (broker is not None and broker.process is not None):
        await provision.declare_broker(site.plan, site.world, site.layout.data / name / "declared-streams")


async def _follow(old: Site, plan: Plan, mesh: MeshLayout) -> None:
    """Let every proxy follow, or none."""
    try:
        await _lead(plan, mesh)
    except BaseException:
        await turning.back(old)
        raise


async def _lead(plan: Plan, mesh: MeshLayout) -> None:
    """Write what every proxy is to follow, and wait until all of them do."""
    looking = []
    for name, layout in proxies.proxies(plan, mesh).items():
        entries = await asyncio.to_thread(files.diff, Path(layout.root), compile_mesh(plan, layout))
        paths = [entry.path for entry in entries if entry.change == "changed"]
        looking.append(await taking.before(name, admin_of(layout), paths))
    await proxies.follow(plan, mesh)
    refused = [said for found in await asyncio.gather(*(each.refused() for each in looking)) for said in found]
    if refused:
        raise EngineError(
            f"the new declaration is not in force: {'; '.join(refused)}", hint="shoal logs envoy says why"
        )


async def refresh(old: Site, new: Site, services: Mapping[str, Replicas | Single | None], reporter: Reporter) -> None:
    """Replace the processes whose environment is another one now, such as that of a service with its first event.

    Args:
        old: What they were started on.
        new: What they run on now.
        services: By name; under the empty name, the one process that holds all services.
        reporter: Told which.
    """
    differing = {s.name for s in new.plan.services if _environment(old, s.name) != _environment(new, s.name)}
    for name, each in services.items():
        if isinstance(each, Single):
            each.follow(new)
        if each is not None and (name in differing or (differing and not name)):
            try:
                await each.reload()
            except (ShoalError, OSError) as error:
                reporter.problem(name or new.plan.system.name, f"{error}\nthe previous version still serves")
            else:
                reporter.event(name or new.plan.system.name, "started again, since its environment has changed")


def _environment(site: Site, service: str) -> dict[str, str]:
    return service_environment(site.plan, site.plan.service(service), site.world, os.environ)


def _meaning(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _meaning(item) for key, item in value.items() if key != "source"}
    if isinstance(value, list | tuple):
        return [_meaning(item) for item in value]
    return value
