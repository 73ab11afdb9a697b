"""Which target a system is planned for on a cloud: the engines that services are meant for, or their likes there."""

from collections.abc import Mapping

from shoal.deploy.cloud.settings import Environment
from shoal.model.choice import choose
from shoal.model.plan import Plan, plan
from shoal.model.system import System
from shoal.model.target import Target


def planned(system: System, environment: Environment, *, name: str, broker: str, objects: Mapping[str, str]) -> Plan:
    """Plan a system for an environment of a cloud.

    Args:
        system: What is declared.
        environment: What people say of the environment; its `choose` comes last.
        name: Of the target, such as ``aws``.
        broker: The cloud's own.
        objects: Stores of objects that belong elsewhere, and what stands for them there.
    """
    stores = {s.name: s.store.production for s in system.services if s.store is not None and s.store.production}
    searches = {s.name: s.search.production for s in system.services if s.search is not None and s.search.production}
    kept = {}
    for service in system.services:
        if service.objects is not None:
            meant = service.objects.production or service.objects.engine
            kept[service.name] = objects.get(meant, meant)
    meant_for = Target(name=name, mesh="off", broker=broker, stores=stores, objects=kept, searches=searches)
    return plan(system, choose(meant_for, system, environment.choose))
