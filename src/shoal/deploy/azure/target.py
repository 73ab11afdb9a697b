"""Which target a system is planned for: the engines that services are meant for, or their likes on Azure."""

from shoal.deploy.azure.settings import Environment
from shoal.model.choice import choose
from shoal.model.plan import Plan, plan
from shoal.model.system import System
from shoal.model.target import Target

STORES = {"dynamodb": "documents", "firestore": "documents", "mongo": "documents"}
"""Stores that Azure does not have as their drivers need them, and what stands for them: documents in PostgreSQL."""

OBJECTS = {"folder": "blob", "s3": "blob", "gcs": "blob"}
SEARCHES = {"opensearch": "postgres-search"}


def meant(system: System) -> dict[tuple[str, str], str]:
    """Say what each service is meant for, where Azure has something else: (service, role) → engine."""
    found: dict[tuple[str, str], str] = {}
    for service in system.services:
        for role, instead in (("store", STORES), ("objects", OBJECTS), ("search", SEARCHES)):
            part = getattr(service, role)
            engine = (part.production or part.engine) if part is not None else ""
            if engine in instead and engine != "folder":
                found[service.name, role] = engine
    return found


def target(system: System, environment: Environment) -> Target:
    """Take of each service the engine that it is meant for in production, then what is chosen otherwise."""
    stores, objects, searches = dict[str, str](), dict[str, str](), dict[str, str]()
    for service in system.services:
        for part, instead, found in (
            (service.store, STORES, stores), (service.objects, OBJECTS, objects), (service.search, SEARCHES, searches),
        ):  # fmt: skip
            engine = (part.production or part.engine) if part is not None else ""
            if engine and (part is service.objects or engine in instead or getattr(part, "production", "")):
                found[service.name] = instead.get(engine, engine)
    meant_for = Target(name="azure", mesh="off", broker="servicebus", stores=stores, objects=objects, searches=searches)
    return choose(meant_for, system, environment.choose)


def planned(system: System, environment: Environment) -> Plan:
    """Plan a system for an environment."""
    return plan(system, target(system, environment))
