"""Resources on Google Cloud → items. What has a price and is not counted is listed in docs/cost.md. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from shoal.cost import second
from shoal.cost.cloud import Cloud
from shoal.cost.cluster import Cluster, Machine
from shoal.cost.estimate import Item
from shoal.cost.gcp_others import fitted, others
from shoal.cost.month import GB, HOURS, MILLION, Month
from shoal.cost.usage import ZERO, Range, exactly
from shoal.deploy.gcp import resources as made
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Resource
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.settings import ENVIRONMENTS, Environment, read
from shoal.deploy.gcp.target import planned
from shoal.model.plan import Plan

_ASKED = HOURS * 3600 / 20
"""Requests by which one reader asks an empty subscription in a month, waiting twenty seconds each."""

_LEAST = Decimal(1000)
"""Bytes that Pub/Sub bills of a request at least."""

_ACTIVE = Decimal("0.05")
"""Seconds that a request has an instance of its own, for services whose processors sleep in between and of which no
use is known."""

_MACHINES = Decimal(3)
"""Zones over which a cluster's pods are spread."""

_NAT = Decimal(32)
"""Instances above which a NAT gateway costs no more."""

_ZONES = 3
"""Private zones of names in every network."""

_CUSTOM = re.compile(r"db-custom-(\d+)-(\d+)")


def items(resources: Iterable[Resource], month: Month) -> tuple[Item, ...]:
    """List what a month of these resources is billed for; what stands by is billed where it is."""
    every = tuple(resources)
    region = next((one.region for one in every if isinstance(one, made.Network) and one.waits), "")
    return second.beside(every, month, _items, region)


def _items(some: tuple[Resource, ...], month: Month) -> Iterator[Item]:
    for one in some:
        yield from _ITEMS.get(type(one), _nothing)(one, month)
    yield from _shared(some, month)


def _nothing(_: Any, __: Month) -> Iterator[Item]:
    return iter(())


def _network(one: made.Network, month: Month) -> Iterator[Item]:
    if not one.there:
        yield Item(component="zones of names", price="dns.zone-month", amount=exactly(_ZONES))
    if one.gateway and not one.there:
        yield Item(component="data by the NAT gateway", price="nat.gb", amount=month.outside, by_use=True)
    if one.gateway:
        yield Item(component="public addresses", price="address.hour", amount=exactly(HOURS))


def _workload(one: made.Workload, month: Month) -> Iterator[Item]:
    if one.waits:
        return
    beside = (Decimal(1), Decimal("0.5")) if one.collector else (Decimal(0), Decimal(0))
    processors, memory = one.processors + beside[0], Decimal(one.memory) / 1024 + beside[1]
    whose: dict[str, Any] = {"service": one.service}
    if one.always:
        hours = _instances(one, month) * HOURS
        yield Item(component="Cloud Run processors", price="run.cpu.hour", amount=hours * processors, **whose)
        yield Item(component="Cloud Run memory", price="run.gb.hour", amount=hours * memory, **whose)
        return
    asked = month.of(one.service)
    known = month.usage.services.get(one.service)
    measured = known.cpu if known is not None else None
    active = asked * (_ACTIVE / 3600) if measured is None else month.requests * (measured / 3600)
    whose["by_use"] = True
    yield Item(component="Cloud Run processors", price="run.asked.cpu", amount=active * processors, **whose)
    yield Item(component="Cloud Run memory", price="run.asked.gb", amount=active * memory, **whose)
    yield Item(component="Cloud Run requests", price="run.request", amount=asked * (1 / MILLION), **whose)
    if one.least:
        rest = exactly(HOURS * one.least)
        yield Item(component="processors at rest", price="run.idle.cpu", amount=rest * processors, service=one.service)
        yield Item(component="memory at rest", price="run.idle.gb", amount=rest * memory, service=one.service)


def _instances(one: made.Workload, month: Month) -> Range:
    return month.tasks(one.service, least=one.least, most=one.most, processors=Decimal(one.processors), busy=60)


def _postgres(one: made.Postgres, month: Month) -> Iterator[Item]:
    hours, storage = exactly(HOURS * one.copies), exactly(one.storage * one.copies)
    if size := _CUSTOM.fullmatch(one.tier):
        processors, memory = Decimal(size[1]), Decimal(size[2]) / 1024
        yield Item(
            component="PostgreSQL processors", price="sql.cpu.hour", amount=hours * processors, service=one.service
        )
        yield Item(component="PostgreSQL memory", price="sql.gb.hour", amount=hours * memory, service=one.service)
    else:
        yield Item(component="PostgreSQL", price=f"sql.{one.tier}.hour", amount=hours, service=one.service)
    yield Item(component="PostgreSQL storage", price="sql.ssd.gb-month", amount=storage, service=one.service)
    if one.follows:
        written = month.writes(one.service) * (month.usage.call_bytes / GB)
        yield Item(
            component="copying to the second region",
            price="vpc.region.gb",
            amount=written,
            service=one.service,
            by_use=True,
        )


def _documents(one: made.Documents, month: Month) -> Iterator[Item]:
    writes, reads = month.writes(one.service) * (1 / MILLION), month.reads(one.service) * (1 / MILLION)
    whose: dict[str, Any] = {"service": one.service, "by_use": True}
    kind = "firestore.wide" if one.wide else "firestore"
    yield Item(component="Firestore writes", price=f"{kind}.write", amount=writes, **whose)
    yield Item(component="Firestore reads", price=f"{kind}.read", amount=reads, **whose)
    stored = month.usage.stored
    yield Item(component="Firestore storage", price=f"{kind}.gb-month", amount=stored, service=one.service)


def _bucket(one: made.Bucket, month: Month) -> Iterator[Item]:
    kind = "storage.dual" if len(one.regions) > 1 else "storage"
    yield Item(component="objects", price=f"{kind}.gb-month", amount=month.usage.objects, service=one.service)


def _dataset(one: made.Dataset, month: Month) -> Iterator[Item]:
    if one.waits:
        return
    yield Item(component="BigQuery storage", price="bigquery.gb-month", amount=month.usage.stored, service=one.service)


def _cache(one: made.Cache, _: Month) -> Iterator[Item]:
    yield Item(component="Valkey", price=f"valkey.{one.node}.hour", amount=exactly(HOURS * one.copies))


def _subscription(one: made.Subscription, _: Month) -> Iterator[Item]:
    """Count what an empty subscription is asked; what is heard is counted for all together."""
    if one.part:
        idle = exactly(_ASKED * _LEAST / GB)
        yield Item(component="subscriptions asked while empty", price="pubsub.gb", amount=idle, service=one.service)


def _secret(one: made.Secret, _: Month) -> Iterator[Item]:
    yield Item(component="secrets", price="secret.month", amount=exactly(len(one.regions)), service=one.service)


def _key(one: made.Key, _: Month) -> Iterator[Item]:
    yield Item(component="keys", price="key.month", amount=exactly(1), service=one.service)


def _alarm(_: made.Alarm, __: Month) -> Iterator[Item]:
    yield Item(component="alarms", price="alarm.month", amount=exactly(1))


def _door(one: made.Door, month: Month) -> Iterator[Item]:
    asked = month.requests * (1 / MILLION)
    if one.kind == "gateway":
        yield Item(component="API requests", price="api.request", amount=asked, by_use=True)
    else:
        yield Item(component="balancer", price="lb.hour", amount=exactly(HOURS))
        yield Item(component="data by the balancer", price="lb.gb", amount=month.answered, by_use=True)
        if one.firewall:
            rules = 2 + sum(route.limit is not None for route in one.routes)
            yield Item(component="firewall", price="armor.policy-month", amount=exactly(1))
            yield Item(component="rules of the firewall", price="armor.rule-month", amount=exactly(rules))
            yield Item(component="requests at the firewall", price="armor.request", amount=asked, by_use=True)
    yield Item(component="data to clients", price="egress.gb", amount=month.answered, by_use=True)


def _inside(_: made.Inside, __: Month) -> Iterator[Item]:
    yield Item(component="balancer inside", price="lb.hour", amount=exactly(HOURS))
    yield Item(component="zones of names", price="dns.zone-month", amount=exactly(1))


def _cluster(one: made.Cluster, month: Month) -> Iterator[Item]:
    yield Item(component="GKE control plane", price="gke.hour", amount=exactly(HOURS))
    for pods in one.pods:
        processors, memory = Decimal(pods.millis) / 1000, Decimal(pods.memory) / 1024
        there = month.tasks(pods.service, least=pods.least, most=pods.most, processors=processors, busy=70)
        whose: dict[str, Any] = {"service": pods.service}
        hours = there * HOURS
        yield Item(component="processors of pods", price="autopilot.cpu.hour", amount=hours * processors, **whose)
        yield Item(component="memory of pods", price="autopilot.gb.hour", amount=hours * memory, **whose)
    if one.exposed:
        yield Item(component="balancer", price="lb.hour", amount=exactly(HOURS))
        yield Item(component="data to clients", price="egress.gb", amount=month.answered, by_use=True)


def _nodes(every: Iterable[Resource]) -> Range:
    """Say how many machines of clusters are at the gateway: one in each zone at least, one for each pod at most."""
    pods = [pods for one in every if isinstance(one, made.Cluster) for pods in one.pods]
    most = max(_MACHINES, Decimal(sum(one.most for one in pods)))
    return Range(low=_MACHINES, expected=_MACHINES, high=most) if pods else ZERO


def _shared(every: tuple[Resource, ...], month: Month) -> Iterator[Item]:
    """Count what all services have together: instances at the gateway, lines of logs, images, and events."""
    running = [one for one in every if isinstance(one, made.Workload) and not one.waits]
    services = [one.service for one in running]
    services += [pods.service for one in every if isinstance(one, made.Cluster) for pods in one.pods]
    if any(isinstance(one, made.Network) and one.gateway for one in every):
        instances = sum((_instances(one, month) for one in running), _nodes(every))
        bounded = (min(_NAT, one) for one in (instances.low, instances.expected, instances.high))
        amount = Range(**dict(zip(("low", "expected", "high"), bounded, strict=True)))
        yield Item(component="NAT gateway", price="nat.instance-hour", amount=amount * HOURS)
    for logs in (one for one in every if isinstance(one, made.Logs)):
        lines = sum((month.logged(name) for name in services), ZERO)
        yield Item(component="log lines taken", price="logs.gb", amount=lines, by_use=True)
        if logs.days > 30:
            more = lines * (Decimal(logs.days - 30) / 30)
            yield Item(component="log lines kept", price="logs.gb-month", amount=more, by_use=True)
    if any(isinstance(one, made.Repository) for one in every):
        images = {one.service for one in every if isinstance(one, made.Account) and one.service}
        yield Item(component="images", price="registry.gb-month", amount=exactly(len(images)))
    yield from _events(every, month)


def _events(every: tuple[Resource, ...], month: Month) -> Iterator[Item]:
    """Count the bytes of events once for who publishes, and once for each who hears them."""
    if any(isinstance(one, made.Topic) for one in every):
        hearers = {(one.service, one.part) for one in every if isinstance(one, made.Subscription) and one.part}
        each = Decimal(len(hearers)) / len({stream for _, stream in hearers} or {""})
        size = max(_LEAST, month.usage.call_bytes) / GB
        yield Item(component="events published", price="pubsub.gb", amount=month.events * size, by_use=True)
        yield Item(component="events heard", price="pubsub.gb", amount=month.events * (each * size), by_use=True)


_ITEMS: Mapping[type, Callable[[Any, Month], Iterator[Item]]] = {
    made.Network: _network,
    made.Workload: _workload,
    made.Postgres: _postgres,
    made.Documents: _documents,
    made.Bucket: _bucket,
    made.Dataset: _dataset,
    made.Cache: _cache,
    made.Subscription: _subscription,
    made.Secret: _secret,
    made.Key: _key,
    made.Alarm: _alarm,
    made.Door: _door,
    made.Inside: _inside,
    made.Cluster: _cluster,
}
FREE: frozenset[type] = frozenset(
    {
        *(made.Interfaces, made.Passage, made.Grade, made.Account, made.Operator, made.Password, made.Topic),
        *(made.Watch, made.Repository, made.Logs, made.Turn, made.Reached),
    }
)
"""Kinds that cost nothing by themselves, or whose use is counted elsewhere."""


def machine(name: str, processors: int, memory: int) -> Machine:
    """Describe a node, and what each has for itself.

    That is 6 % of the first processor, 1 % of the second and half a percent of the next two, 25 % of the first 4 GiB,
    20 % of the next four and 10 % of the next eight, and 100 MiB before pods are evicted (GKE, "Node sizes"); what runs
    on every node has 0.2 processors and 0.25 GiB.
    """
    more = Decimal("0.01") * min(1, processors - 1) + Decimal("0.005") * max(0, min(2, processors - 2))
    kept = Decimal("0.06") + more
    first, second, third = (Decimal(max(0, min(size, memory - start))) for start, size in ((0, 4), (4, 4), (8, 8)))
    reserved = first / 4 + second / 5 + third / 10 + Decimal(100) / 1024
    own = (kept + Decimal("0.2"), reserved + Decimal("0.25"))
    size = {"processors": Decimal(processors), "memory": Decimal(memory)}
    return Machine(name=name, price=f"gce.{name}.hour", kept=own, pods=110, **size)


def made_for(plan: Plan, environment: Environment) -> tuple[Resource, ...]:
    """List what a plan takes, in its second region, too, where it has one."""
    both = Scope(plan=plan, environment=environment).both()
    return tuple(one for scope in both for one in resources(scope))


CLUSTER = Cluster(
    title="GKE",
    control=("gke.hour",),
    machines=(machine("e2-standard-2", 2, 8), machine("e2-standard-4", 4, 16)),
    disk="disk.gb-month",
    balancer=("lb.hour",),
    egress="egress.gb",
    root=Decimal(100),
    replaces=frozenset({made.Workload, made.Door, made.Operator, made.Inside, made.Cluster}),
    engines=frozenset({made.Postgres, made.Documents, made.Cache, made.Topic, made.Subscription}),
)

CLOUD = Cloud(
    name="gcp",
    title="Google Cloud",
    environments=ENVIRONMENTS,
    read=read,
    plan=planned,
    resources=made_for,
    items=items,
    others=others,
    fitted=fitted,
    base=Resource,
    billed=frozenset(_ITEMS),
    free=FREE,
    cluster=CLUSTER,
    serverless={"compute": "cloud-run"},
)
