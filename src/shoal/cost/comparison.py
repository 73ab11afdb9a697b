"""The same system in different ways, side by side: clouds, without servers and on Kubernetes. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shoal.cost import cluster
from shoal.cost.cloud import Cloud, E
from shoal.cost.estimate import Estimate, Line, added, priced
from shoal.cost.groups import GROUPS, group_of
from shoal.cost.month import Month
from shoal.cost.pods import pods
from shoal.cost.prices import Table
from shoal.cost.usage import Range, Usage
from shoal.deploy.kubernetes import settings
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from shoal.model.system import System


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way to have a system."""

    cloud: str
    """As people write it."""
    how: str
    """``serverless``, ``Kubernetes`` or ``Kubernetes, engines managed``."""
    estimate: Estimate

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.cloud} {self.how}"

    def of(self, group: str) -> tuple[Line, ...]:
        """Lines of one group of what is paid for."""
        return tuple(line for line in self.estimate.lines if group_of(line.item.price) == group)

    def sums(self) -> Mapping[str, Range | None]:
        """Sum up each group; None where there is something of it and nothing of that has a price."""
        found = {group: self.of(group) for group in GROUPS}
        return {group: _sum(lines) for group, lines in found.items()}


def ways(
    cloud: Cloud[E, Any], environment: E, system: System, usage: Usage, table: Table, sizes: settings.Environment
) -> Iterator[Way]:
    """Price one cloud in each of its ways.

    Args:
        cloud: The cloud.
        environment: Its settings; whatever they say of Kubernetes does not matter.
        system: What is to run.
        usage: How much it is used, the same in each way.
        table: Prices of the cloud.
        sizes: What `shoal deploy kubernetes` is told; see `alike`.
    """
    environment = msgspec.structs.replace(environment, **cloud.serverless)  # type: ignore[type-var]
    planned = cloud.plan(system, environment)
    month = Month(planned, usage)
    resources = cloud.resources(planned, environment)
    yield Way(cloud=cloud.title, how="serverless", estimate=priced(cloud.items(resources, month), table))
    if cloud.cluster is None:
        return
    scope = Scope(plan=plan(system, target(system, sizes)), environments=(sizes,))
    for how, engines in (("Kubernetes", True), ("Kubernetes, engines managed", False)):
        gone = cloud.cluster.replaces | (cloud.cluster.engines if engines else frozenset())
        stay = [one for one in resources if type(one) not in gone]
        nodes = cluster.items(cloud.cluster, pods(scope, month, engines=engines), month, table)
        found = (*cloud.items(stay, month), *nodes)
        yield Way(cloud=cloud.title, how=how, estimate=priced(found, table))


def alike(environment: Any) -> settings.Environment:
    """Return settings for Kubernetes with as many replicas as an environment of a cloud has tasks."""
    usual = settings.Environment(name=environment.name)
    return settings.Environment(
        name=environment.name,
        least=getattr(environment, "least", usual.least),
        most=getattr(environment, "most", usual.most),
    )


def cheapest(found: Sequence[Way]) -> Way | None:
    """Return the way that is expected to cost least; None where one with something unknown seems to cost less still."""
    least = min(found, key=lambda way: way.estimate.total.expected, default=None)
    return least if least is not None and not least.estimate.unknown else None


def unknown(found: Iterable[Way]) -> Iterator[str]:
    """Say of each way what is not in its sum."""
    for way in found:
        missing = sorted({line.item.price for line in way.estimate.unknown})
        if missing:
            yield f"{way.name} is without what is unknown: {', '.join(missing)}"


def _sum(lines: Sequence[Line]) -> Range | None:
    if lines and all(line.cost is None for line in lines):
        return None
    return added(lines)
