"""Which target a system is planned for on a cloud: the engines that services are meant for, or their likes there."""

from collections.abc import Mapping

from shoal.deploy.cloud.settings import Environment
from shoal.model.choice import choose
from shoal.model.plan import Plan, plan
from shoal.model.system import System
from shoal.model.target import Mesh, Target


def planned(
    system: System,
    environment: Environment,
    *,
    name: str,
    broker: str,
    instead: Mapping[str, str],
    meshed: bool = False,
) -> Plan:
    """Plan a system for an environment of a cloud.

    Args:
        system: What is declared.
        environment: What people say of the environment; its `choose` comes last.
        name: Of the target, such as ``aws``.
        broker: The cloud's own.
        instead: Engines of stores, searches, objects and warehouses that belong elsewhere, and what stands for them.
        meshed: Whether calls are carried by a mesh and the door speaks TLS, as on Kubernetes.
    """
    stores: dict[str, str] = {}
    searches: dict[str, str] = {}
    objects: dict[str, str] = {}
    warehouses: dict[str, str] = {}
    for service in system.services:
        for engines, used in (
            (stores, service.store), (searches, service.search), (objects, service.objects),
            (warehouses, service.warehouse),
        ):  # fmt: skip
            meant = (used.production or used.engine) if used is not None else ""
            if used is not None and (used.production or meant in instead):
                engines[service.name] = instead.get(meant, meant)
    mesh: Mesh = "sidecars" if meshed else "off"
    meant_for = Target(
        name=name, mesh=mesh, tls=meshed, broker=broker, stores=stores, objects=objects, searches=searches,
        warehouses=warehouses,
    )  # fmt: skip
    return plan(system, choose(meant_for, system, environment.choose))
