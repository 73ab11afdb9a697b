"""Pods of a system on Kubernetes, by what they are promised: read from the objects that are deployed. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.month import Month
from shoal.cost.usage import Range, exactly
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Sheet
from shoal.deploy.kubernetes.workloads import pod_of
from shoal.deploy.yaml import plain

_PROXY = (Decimal("0.1"), Decimal("0.125"))
"""Processors and GiB of Istio's proxy beside a service, as its charts ask for them (values ``global.proxy``)."""

_UNITS = {
    "m": Decimal("0.001"),
    "Ki": Decimal(1) / 1024**2,
    "Mi": Decimal(1) / 1024,
    "Gi": Decimal(1),
    "Ti": Decimal(1024),
}
"""Of quantities: parts of a processor, and GiB (Kubernetes API conventions, "Quantity")."""


class Pod(msgspec.Struct, frozen=True, kw_only=True):
    """Pods that are alike."""

    name: str
    service: str = ""
    """Whose they are; empty for engines, which services share."""
    processors: Decimal
    """That each is promised."""
    memory: Decimal
    """GiB that each is promised."""
    disk: Decimal = Decimal(0)
    """GiB of the disk of each."""
    least: int
    """How many there are at rest."""
    count: Range
    """How many run, on average over the month."""


def pods(scope: Scope, month: Month, *, engines: bool) -> tuple[Pod, ...]:
    """List the pods of the last environment of a scope.

    Args:
        scope: The system on Kubernetes.
        month: How much it is used.
        engines: Whether the engines that can be in the cluster are there.
    """
    found = [*_services(scope, month)]
    if engines:
        found += [pod for name in scope.servers if name in ENGINES for pod in _engine(scope, name)]
    return tuple(found)


def quantity(text: str) -> Decimal:
    """Read a quantity: ``250m`` of a processor, ``192Mi``; memory and disks in GiB."""
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return Decimal(text.removesuffix(unit)) * factor
    return Decimal(text)


def _services(scope: Scope, month: Month) -> Iterator[Pod]:
    environment = scope.environments[-1]
    proxy = _PROXY if environment.mesh == "istio" else (Decimal(0), Decimal(0))
    for service in scope.plan.services:
        size = scope.size(environment, service)
        processors, memory = _promised(plain(pod_of(scope, service)))
        busy = {"least": size.least, "most": size.most, "busy": size.busy, "processors": processors}
        yield Pod(
            name=service.name,
            service=service.name,
            processors=processors + proxy[0],
            memory=memory + proxy[1],
            least=size.least,
            count=month.tasks(service.name, **busy),  # type: ignore[arg-type]
        )


def _engine(scope: Scope, name: str) -> Iterator[Pod]:
    """Read what an engine's objects ask for: a set of pods, or the cluster of an operator."""
    for sheet in ENGINES[name].make(scope):
        for thing in sheet.things if isinstance(sheet, Sheet) else ():
            body = plain(thing.body)
            spec = body.get("spec", {})
            if body["kind"] == "StatefulSet":
                processors, memory = _promised(spec["template"]["spec"])
                count, claims = spec["replicas"], spec["volumeClaimTemplates"]
                disk = sum((quantity(one["spec"]["resources"]["requests"]["storage"]) for one in claims), Decimal(0))
            elif body["kind"] == "Cluster":
                asked = spec["resources"]["requests"]
                processors, memory = quantity(asked["cpu"]), quantity(asked["memory"])
                count, disk = spec["instances"], quantity(spec["storage"]["size"])
            else:
                continue
            yield Pod(name=name, processors=processors, memory=memory, disk=disk, least=count, count=exactly(count))


def _promised(spec: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Add what containers are promised, with those that stay beside them for good."""
    beside = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    asked = [one.get("resources", {}).get("requests", {}) for one in (*spec["containers"], *beside)]
    return (
        sum((quantity(one.get("cpu", "0")) for one in asked), Decimal(0)),
        sum((quantity(one.get("memory", "0")) for one in asked), Decimal(0)),
    )
