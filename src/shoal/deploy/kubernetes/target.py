"""Which target a system is planned for: replicas in pods, and the engines that services are meant for."""

import msgspec

from shoal.deploy.kubernetes.settings import Environment
from shoal.model.choice import choose
from shoal.model.system import System
from shoal.model.target import Target


def target(system: System, environment: Environment) -> Target:
    """Take of each service the engine that it is meant for in production, then what is chosen otherwise."""
    stores = {s.name: s.store.production for s in system.services if s.store is not None and s.store.production}
    objects = {s.name: s.objects.production for s in system.services if s.objects is not None and s.objects.production}
    searches = {s.name: s.search.production for s in system.services if s.search is not None and s.search.production}
    facts = {s.name: s.warehouse.production for s in system.services if s.warehouse and s.warehouse.production}
    meant = Target(
        name="kubernetes", mesh="sidecars", stores=stores, objects=objects, searches=searches, warehouses=facts
    )
    chosen = choose(meant, system, environment.choose)
    return msgspec.structs.replace(chosen, tls=True)
