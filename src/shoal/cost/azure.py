"""Resources on Azure → items. What has a price and is not counted is listed in docs/azure.md. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from shoal.cost import second
from shoal.cost.azure_others import fitted, others
from shoal.cost.cloud import Cloud
from shoal.cost.cluster import Cluster, Machine
from shoal.cost.estimate import Item
from shoal.cost.month import GB, HOURS, MILLION, Month
from shoal.cost.usage import Range, exactly
from shoal.deploy.azure import resources as made
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.scope import Scope
from shoal.deploy.azure.settings import ENVIRONMENTS, Environment, read
from shoal.deploy.azure.target import planned
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.settings import UNIT
from shoal.model.plan import Plan

_RENEWED = HOURS * 3600 / 5
"""Times that a reader renews the session of a subscription in a month (decision 49); each is an operation."""

_INCLUDED = Decimal(50_000_000)
"""Requests of a month that are in the price of a gateway of the tier Standard v2."""

_BALANCERS = 2
"""Of an environment with an address inside; it has a public address for what goes out besides (Container Apps)."""

_KEPT = 31
"""Days for which lines of logs cost nothing more."""


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


def _place(_: made.Place, __: Month) -> Iterator[Item]:
    yield Item(component="balancers of apps", price="lb.hour", amount=exactly(HOURS * _BALANCERS))
    yield Item(component="public addresses", price="address.hour", amount=exactly(HOURS))


def _workload(one: made.Workload, month: Month) -> Iterator[Item]:
    if one.waits:
        return
    processors, memory = Decimal(one.cpu) / UNIT, Decimal(one.memory) / 1024
    running = month.tasks(one.service, least=one.least, most=one.most, processors=processors, busy=one.busy)
    hours = running * HOURS
    whose: dict[str, Any] = {"service": one.service}
    used, held = hours * processors, hours * memory
    yield Item(component="Container Apps processors", price="containerapps.cpu.hour", amount=used, **whose)
    yield Item(component="Container Apps memory", price="containerapps.gb.hour", amount=held, **whose)
    asked = month.of(one.service) * (1 / MILLION)
    yield Item(component="Container Apps requests", price="containerapps.request", amount=asked, by_use=True, **whose)
    logged = month.logged(one.service)
    yield Item(component="log lines taken", price="logs.gb", amount=logged, by_use=True, **whose)


def _logs(one: made.Logs, month: Month) -> Iterator[Item]:
    longer = Decimal(max(0, one.days - _KEPT)) / 30
    if longer and not one.waits:
        whole = sum((month.logged(service.name) for service in month.plan.services), exactly(0))
        yield Item(component="log lines kept", price="logs.gb-month", amount=whole * longer, by_use=True)


def _zone(_: made.Zone, __: Month) -> Iterator[Item]:
    yield Item(component="zones of names", price="dns.zone-month", amount=exactly(1))


def _endpoint(one: made.Endpoint, _: Month) -> Iterator[Item]:
    yield Item(component="private endpoints", price="endpoint.hour", amount=exactly(HOURS), service=one.service)


def _registry(one: made.Registry, _: Month) -> Iterator[Item]:
    amount = exactly(HOURS * (2 if one.copied else 1))
    yield Item(component="registry", price=f"registry.{one.tier}.hour", amount=amount)


def _postgres(one: made.Postgres, month: Month) -> Iterator[Item]:
    copies = 1 if one.follows else one.copies
    hours, storage = exactly(HOURS * copies), exactly(one.storage * copies)
    yield Item(component="PostgreSQL", price=f"postgres.{one.size}.hour", amount=hours, service=one.service)
    yield Item(component="PostgreSQL storage", price="postgres.gb-month", amount=storage, service=one.service)
    if one.follows:
        written = month.writes(one.service) * (month.usage.call_bytes / GB)
        whose: dict[str, Any] = {"service": one.service, "by_use": True}
        yield Item(component="copying to the second region", price="zones.region.gb", amount=written, **whose)


def _cache(one: made.Cache, _: Month) -> Iterator[Item]:
    hours = exactly(HOURS * one.copies)
    yield Item(component="Managed Redis", price=f"redis.{one.size}.hour", amount=hours, service=one.service)


def _account(one: made.Account, month: Month) -> Iterator[Item]:
    price, kept = f"storage.{one.copies}.gb-month", month.usage.objects
    yield Item(component="objects", price=price, amount=kept, service=one.service)


def _bus(one: made.Bus, _: Month) -> Iterator[Item]:
    yield Item(component="Service Bus", price=f"servicebus.{one.tier}.hour", amount=exactly(HOURS))


def _key(one: made.Key, _: Month) -> Iterator[Item]:
    """Count what turning a key costs: once a year."""
    turns = exactly(Decimal(1) / 12)
    yield Item(component="keys", price="key.rotation", amount=turns, service=one.service)


def _alarm(one: made.Alarm, _: Month) -> Iterator[Item]:
    yield Item(component="alarms", price="alarm.month", amount=exactly(1), service=one.service)


def _door(one: made.Door, month: Month) -> Iterator[Item]:
    tier, _, units = one.tier.partition("_")
    yield Item(component="API Management", price=f"gateway.{tier}.hour", amount=exactly(HOURS))
    if int(units) > 1:
        more = exactly(HOURS * (int(units) - 1))
        yield Item(component="further units of it", price=f"gateway.{tier}.more.hour", amount=more)
    if one.waits:
        return
    if tier == "StandardV2":
        beyond = _above(month.requests, _INCLUDED) * (1 / MILLION)
        yield Item(component="API requests", price="gateway.StandardV2.request", amount=beyond, by_use=True)
    yield Item(component="data to clients", price="egress.gb", amount=month.answered, by_use=True)


def _mail(one: made.Mail, month: Month) -> Iterator[Item]:
    """Count letters; what is in them is billed besides, by the megabyte, and not counted."""
    if not one.waits:
        letters = month.requests * (month.usage.mails / 1000)
        yield Item(component="mails", price="email.mail", amount=letters, by_use=True)


def _cluster(one: made.Cluster, month: Month) -> Iterator[Item]:
    if one.protected:
        yield Item(component="AKS control plane", price="aks.hour", amount=exactly(HOURS))
    nodes = exactly(HOURS * one.least)
    yield Item(component="AKS nodes", price=f"vm.{one.node}.hour", amount=nodes)
    yield Item(component="balancer", price="lb.hour", amount=exactly(HOURS))
    if month.plan.routes:
        yield Item(component="data to clients", price="egress.gb", amount=month.answered, by_use=True)


def _shared(every: tuple[Resource, ...], month: Month) -> Iterator[Item]:
    """Count operations of Service Bus: publishing, hearing once for each who hears, and holding sessions."""
    buses = [one for one in every if isinstance(one, made.Bus) and not one.waits]
    if not buses or buses[0].tier != "Standard":
        return
    heard = [one for one in every if isinstance(one, made.Subscription) and one.service and not one.waits]
    for service in dict.fromkeys(one.service for one in heard):
        held = exactly(_RENEWED * sum(one.service == service for one in heard) / MILLION)
        yield Item(component="sessions held", price="servicebus.Standard.operation", amount=held, service=service)
    hearers = {(one.service, one.topic) for one in heard}
    each = Decimal(len(hearers)) / max(1, len({topic for _, topic in hearers}))
    said = month.events * ((1 + 2 * each) / MILLION)
    yield Item(component="events published and heard", price="servicebus.Standard.operation", amount=said, by_use=True)


def _above(whole: Range, least: Decimal) -> Range:
    return Range(
        low=max(Decimal(0), whole.low - least),
        expected=max(Decimal(0), whole.expected - least),
        high=max(Decimal(0), whole.high - least),
    )


_ITEMS: Mapping[type, Callable[[Any, Month], Iterator[Item]]] = {
    made.Place: _place,
    made.Workload: _workload,
    made.Logs: _logs,
    made.Zone: _zone,
    made.Endpoint: _endpoint,
    made.Registry: _registry,
    made.Postgres: _postgres,
    made.Cache: _cache,
    made.Account: _account,
    made.Bus: _bus,
    made.Key: _key,
    made.Alarm: _alarm,
    made.Door: _door,
    made.Mail: _mail,
    made.Cluster: _cluster,
}
FREE = frozenset(
    {made.Network, made.Subnet, made.Wall, made.Vault, made.Password, made.Secret, made.Identity}
    | {made.Grade, made.Right, made.Operator, made.Topic, made.Subscription, made.Watch, made.Lock, made.Borrowed}
)
"""Kinds that cost nothing by themselves, or whose use is counted elsewhere."""


def machine(name: str, processors: int, memory: int) -> Machine:
    """Describe a node, and what each has for itself.

    That is 0.1 and 0.14 of two and four processors, 20 MiB for each of 110 pods and 50 MiB, and 100 MiB before pods are
    evicted (AKS, "Node resource reservations"); what runs on every node, Istio and Cilium among it, has 0.3
    processors and 0.5 GiB.
    """
    own = {2: Decimal("0.1"), 4: Decimal("0.14")}.get(processors, Decimal("0.18"))
    kept = (own + Decimal("0.3"), Decimal(110 * 20 + 50 + 100) / 1024 + Decimal("0.5"))
    size = {"processors": Decimal(processors), "memory": Decimal(memory)}
    return Machine(name=name, price=f"vm.{name}.hour", kept=kept, pods=110, **size)


def made_for(plan: Plan, environment: Environment) -> tuple[Resource, ...]:
    """List what a plan takes, in its second region, too, where it has one."""
    both = Scope(plan=plan, environment=environment).both()
    return tuple(one for scope in both for one in resources(scope))


CLUSTER = Cluster(
    title="AKS",
    control=("aks.hour",),
    machines=(machine("Standard_D2ds_v5", 2, 8), machine("Standard_D4ds_v5", 4, 16)),
    disk="disk.gb-month",
    balancer=("lb.hour", "address.hour"),
    egress="egress.gb",
    root=Decimal(0),
    replaces=frozenset({made.Workload, made.Door, made.Operator, made.Place}),
    engines=frozenset({made.Postgres, made.Cache, made.Bus, made.Topic, made.Subscription}),
)
"""Disks of nodes are those of their machines (ephemeral), and cost nothing more."""

CLOUD = Cloud(
    name="azure",
    title="Azure",
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
    serverless={"compute": "container-apps"},
)
