"""The engines of a stopped system, and the stand-ins of what lies outside, for who wants to look at what they hold."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from shoal.local.ground import Ground, take
from shoal.local.reporter import Quiet
from shoal.local.servers.table import SERVERS
from shoal.local.site import Site
from shoal.local.together import together
from shoal.local.unit import Job, Surroundings, Unit
from shoal.local.world import engine_recipe, sandbox_recipe, settle
from shoal.model.plan import Plan

_NO_DATA = frozenset({"envoy", "limiter", "valkey"})


@asynccontextmanager
async def engines_alone(plan: Plan, root: Path) -> AsyncIterator[tuple[Site, Mapping[str, str]]]:
    """Run what keeps data, and no service, for the length of a block; give the base URLs of stand-ins by process.

    Raises:
        HostError: The system runs, or the machine lacks something.
        EngineError: An engine cannot start.
    """
    ground = await take(root, preload=())
    try:
        site = settle(plan, ground.layout)
        units = _units(site, ground)
        try:
            await together(*(unit.start() for unit in units))
            yield site, {u.state.name: u.addresses["http"] for u in units if "http" in u.addresses}
        finally:
            await asyncio.gather(*(unit.stop() for unit in units), return_exceptions=True)
    finally:
        await ground.leave()


def _units(site: Site, ground: Ground) -> list[Unit]:
    around = Surroundings(ground=ground, reporter=Quiet(), changed=lambda: None)
    names = [name for name in site.plan.engines if name in SERVERS and name not in _NO_DATA]
    units = [Unit(Job(recipe=engine_recipe(site, name), kind="engine"), around) for name in names]
    for external in site.plan.externals:
        if external.sandbox is not None:
            recipe, program = sandbox_recipe(site, external, external.sandbox)
            units.append(Unit(Job(recipe=recipe, kind="sandbox", program=program), around))
    return units
