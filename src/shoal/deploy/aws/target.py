"""Which target a system is planned for: the engines that services are meant for, or their likes on AWS."""

from shoal.deploy.aws.settings import Environment
from shoal.model.choice import choose
from shoal.model.plan import Plan, plan
from shoal.model.system import System
from shoal.model.target import Target

INSTEAD = {"folder": "s3", "blob": "s3", "gcs": "s3"}
"""Stores of objects that belong elsewhere, and what stands for them here."""


def target(system: System, environment: Environment) -> Target:
    """Take of each service the engine that it is meant for in production, then what is chosen otherwise."""
    stores = {s.name: s.store.production for s in system.services if s.store is not None and s.store.production}
    searches = {s.name: s.search.production for s in system.services if s.search is not None and s.search.production}
    objects = {}
    for service in system.services:
        if service.objects is not None:
            meant = service.objects.production or service.objects.engine
            objects[service.name] = INSTEAD.get(meant, meant)
    meant_for = Target(name="aws", mesh="off", broker="sns", stores=stores, objects=objects, searches=searches)
    return choose(meant_for, system, environment.choose)


def planned(system: System, environment: Environment) -> Plan:
    """Plan a system for an environment."""
    return plan(system, target(system, environment))
