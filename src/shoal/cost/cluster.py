"""What a cloud asks for Kubernetes: a control plane, nodes for the pods, disks and a balancer. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import msgspec

from shoal.cost.estimate import Item
from shoal.cost.month import HOURS, Month
from shoal.cost.pods import Pod
from shoal.cost.prices import Table
from shoal.cost.usage import ZERO, Range, exactly


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A kind of node."""

    name: str
    """As the cloud calls it."""
    price: str
    """Of an hour, in the table of prices."""
    processors: Decimal
    memory: Decimal
    """GiB."""
    kept: tuple[Decimal, Decimal]
    """Processors and GiB that the node has for itself and for what runs on every node."""
    pods: int
    """That it takes at most."""

    def fits(self, pod: Pod) -> int:
        """Say how many such pods one node takes."""
        room = (self.processors - self.kept[0], self.memory - self.kept[1])
        asked = (pod.processors, pod.memory)
        return min(self.pods, *(int(a // b) if b else self.pods for a, b in zip(room, asked, strict=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Kubernetes as one cloud has it."""

    title: str
    """As people write it: ``EKS``."""
    control: tuple[str, ...]
    """Prices of an hour of the control plane."""
    machines: tuple[Machine, ...]
    """Of which the cheapest for the pods is taken."""
    disk: str
    """Price of a GB-month of disks."""
    balancer: tuple[str, ...]
    """Prices of an hour of the balancer before the gateway."""
    egress: str
    """Price of a GB that leaves for clients."""
    root: Decimal = Decimal(20)
    """GiB of the disk of a node."""
    nodes: int = 3
    """Nodes at least: one in each zone."""
    replaces: frozenset[type] = frozenset()
    """Kinds of resources for which pods stand in: services and the door to them."""
    engines: frozenset[type] = frozenset()
    """Kinds of resources that are engines, for which pods can stand in too."""


def items(cluster: Cluster, pods: tuple[Pod, ...], month: Month, table: Table) -> Iterator[Item]:
    """List what a month of a cluster with these pods is billed for."""
    for price in cluster.control:
        yield Item(component=f"{cluster.title} control plane", price=price, amount=exactly(HOURS))
    machine = cheapest(cluster, pods, table)
    nodes = packed(machine, pods, cluster.nodes)
    yield Item(component=f"nodes {machine.name}", price=machine.price, amount=nodes * HOURS)
    yield Item(component="disks of nodes", price=cluster.disk, amount=nodes * cluster.root)
    disks = sum((pod.count * pod.disk for pod in pods), ZERO)
    if disks.high:
        yield Item(component="disks of engines", price=cluster.disk, amount=disks)
    for price in cluster.balancer:
        yield Item(component="balancer", price=price, amount=exactly(HOURS))
    yield Item(component="data to clients", price=cluster.egress, amount=month.answered, by_use=True)


def cheapest(cluster: Cluster, pods: tuple[Pod, ...], table: Table) -> Machine:
    """Choose the machine on which the pods cost least at rest, of those whose price is known.

    How much is asked of them changes nothing about it, so more use never costs less. Where a pod fits on none, the last
    machine is taken, which is the largest.
    """
    known = [one for one in cluster.machines if one.price in table.prices] or [*cluster.machines]
    able = [one for one in known if all(one.fits(pod) for pod in pods)] or known[-1:]
    resting = [msgspec.structs.replace(pod, count=exactly(pod.least)) for pod in pods]

    def cost(machine: Machine) -> Decimal:
        price = table.prices.get(machine.price)
        return packed(machine, resting, cluster.nodes).expected * (price.amount if price is not None else 1)

    return min(able, key=cost)


def packed(machine: Machine, pods: Iterable[Pod], least: int) -> Range:
    """Count the nodes that pods take.

    Where so many of a kind fit on a node, each takes that part of it. So nodes never become fewer when pods become
    more, as they may where pods are laid out one by one (the anomalies of first fit).
    """
    low, expected, high = Decimal(0), Decimal(0), Decimal(0)
    for pod in pods:
        share = Decimal(1) / max(1, machine.fits(pod))
        low += _whole(pod.count.low) * share
        expected += _whole(pod.count.expected) * share
        high += _whole(pod.count.high) * share
    whole = [max(Decimal(least), _whole(one)) for one in (low, expected, high)]
    return Range(low=whole[0], expected=whole[1], high=whole[2])


def _whole(amount: Decimal) -> Decimal:
    """Round up, but for what arithmetic left of a whole number."""
    return amount.quantize(Decimal("0.000001")).to_integral_value(ROUND_CEILING)
