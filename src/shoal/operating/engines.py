"""The engines of the project's run, for commands that look into stores and streams."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from shoal import drivers
from shoal.drivers.base import BrokerAdmin, Store
from shoal.errors import DeclarationError, HostError
from shoal.local.environment import KEY_RING, operator_url, service_environment, store_url
from shoal.local.layout import Layout, layout_of
from shoal.local.site import Site
from shoal.local.state import RunState
from shoal.local.world import settle
from shoal.model import catalog
from shoal.model.choice import choose
from shoal.model.plan import Plan, ServicePlan, plan
from shoal.model.target import Target
from shoal.operating import project
from shoal.operating.running import current
from shoal.operating.where import Where
from shoal.service.declare import Service
from shoal.service.describe import describe
from shoal.service.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What a living run of a project is made of."""

    declared: System
    run: RunState
    site: Site

    @property
    def plan(self) -> Plan:
        """What was decided about the system."""
        return self.site.plan

    @property
    def hears(self) -> bool:
        """Whether any service handles events: without, there are no dead letters."""
        return any(service.subscriptions for service in self.plan.system.services)

    def planned(self, service: str) -> ServicePlan:
        """Find a service's plan; `DeclarationError` names those there are."""
        found = {s.name: s for s in self.plan.services}.get(service)
        if found is None:
            names = ", ".join(s.name for s in self.plan.services)
            raise DeclarationError(f"there is no service {service!r}", hint=f"services: {names}")
        return found

    def declaration(self, service: str) -> Service:
        """Find a service's declaration; `DeclarationError` names those there are."""
        self.planned(service)
        return next(s for s in self.declared.services if s.name == service)

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the variables that the service's processes have."""
        return service_environment(self.plan, self.planned(service), self.site.world, os.environ)

    @asynccontextmanager
    async def store(self, service: str) -> AsyncIterator[Store]:
        """Open a service's own store, with that service's rights.

        Raises:
            DeclarationError: There is no such service, or it has no store.
            HostError: Its store lives in another process's memory.
            Unavailable: The engine does not answer.
        """
        planned = self.planned(service)
        if planned.store is None:
            raise DeclarationError(f"service {service} has no store", hint="name a service that has one")
        _require_outside(planned.store.engine, f"the store of {service}", "memory")
        store = drivers.open_store(store_url(planned, self.site.world))
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def readable(self, service: str) -> AsyncIterator[Store]:
        """Open a service's own store as its handlers see it, with what is personal unsealed; raises as `store` does."""
        from shoal.runtime.privacy.reading import readable

        ring = self.environment(service).get(KEY_RING, "")
        declared, system = self.declaration(service), self.plan.system.name
        async with self.store(service) as store, readable(declared, system, store, ring) as found:
            yield found

    def broker(self) -> BrokerAdmin:
        """Return the operator's hands on the broker; `HostError` when it lives in another process's memory."""
        _require_outside(self.plan.target.broker, "the broker", "memory-bus")
        if catalog.server(self.plan.target.broker) not in self.plan.engines:
            raise DeclarationError(
                f"system {self.plan.system.name} has no events", hint="declare publishes=[...] and @service.on(...)"
            )
        return drivers.broker_admin(operator_url(self.site.world))


def engines(context: Where) -> Engines:
    """Find the engines of the living run; `HostError` when nothing runs, `DeclarationError` without a system."""
    run = current(context.root)
    declared = project.declared(context)
    place = layout_of(context.root)
    # The shape decides the engines. Sizes and ports do not matter to who only looks into stores and streams.
    target = Target(shape="one-process" if run.shape == "one-process" else "processes")
    system = describe(declared)
    target = choose(target, system, run.engines)
    return Engines(declared=declared, run=run, site=settle(plan(system, target), place, ports=_ports(place)))


def _ports(place: Layout) -> Mapping[str, int]:
    file = place.home / "ports.json"
    if not file.exists():  # a system without a broker and without outside systems needs none
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError) as error:
        raise HostError(
            f"cannot read {file}: {error}", hint="start the system anew: shoal stop && shoal run"
        ) from error


def _require_outside(engine: str, what: str, inside: str) -> None:
    if engine == inside:
        raise HostError(
            f"{what} lives in the memory of the system's process", hint="run it on an engine that others can reach"
        )
