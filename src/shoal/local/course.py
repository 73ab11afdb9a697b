"""The plan that runs now. Whoever changes it waits for the change before, and builds on what that one left."""

import asyncio
from collections.abc import Callable, Mapping

from shoal.local import adopt
from shoal.local.replicas import Replicas
from shoal.local.site import Site
from shoal.local.turning import turn
from shoal.local.unit import Unit
from shoal.model.plan import Plan, plan
from shoal.model.system import System
from shoal.model.target import Target


class Course:
    """One running plan on this machine."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._changing = asyncio.Lock()

    @property
    def plan(self) -> Plan:
        """What runs."""
        return self.site.plan

    async def retarget(self, change: Callable[[Target], Target]) -> None:
        """Let requests flow as the target says that `change` makes of the present one; return when they do."""
        async with self._changing:
            self.site = await turn(self.site, plan(self.plan.system, change(self.plan.target)).require())

    async def adopt(self, system: System, engines: Mapping[str, Unit], replicas: Mapping[str, Replicas]) -> bool:
        """Let everything follow another declaration; False, where that takes a new start.

        Raises:
            EngineError: A proxy refuses it, and all are led as before.
        """
        async with self._changing:
            new = plan(system, self.plan.target).require()
            if not adopt.adoptable(self.site, new):
                return False
            self.site = await adopt.adopt(new, self.site, engines, replicas)
            return True
