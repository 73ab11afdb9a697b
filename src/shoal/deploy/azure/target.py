"""Which target a system is planned for: the engines that services are meant for, or their likes on Azure."""

from shoal.deploy.azure.settings import Environment
from shoal.deploy.cloud import target
from shoal.model.plan import Plan
from shoal.model.system import System

INSTEAD = {
    "dynamodb": "documents", "firestore": "documents", "mongo": "documents",
    "folder": "blob", "s3": "blob", "gcs": "blob", "opensearch": "postgres-search",
}  # fmt: skip
"""Engines that Azure does not have as their drivers need them, and what stands for them."""


def meant(system: System) -> dict[tuple[str, str], str]:
    """Say what each service is meant for, where Azure has something else: (service, role) → engine."""
    found: dict[tuple[str, str], str] = {}
    for service in system.services:
        for role in ("store", "objects", "search"):
            part = getattr(service, role)
            engine = (part.production or part.engine) if part is not None else ""
            if engine in INSTEAD and engine != "folder":
                found[service.name, role] = engine
    return found


def planned(system: System, environment: Environment) -> Plan:
    """Plan a system for an environment."""
    return target.planned(system, environment, name="azure", broker="servicebus", instead=INSTEAD)
