"""Resources on AWS → items. What has a price and is not counted is listed in docs/cost.md. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shoal.cost import second
from shoal.cost.aws_others import fitted, others
from shoal.cost.cloud import Cloud
from shoal.cost.cluster import Cluster, Machine
from shoal.cost.estimate import Item
from shoal.cost.month import HOURS, MILLION, Month
from shoal.cost.usage import Range, exactly
from shoal.deploy.aws import resources as made
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.settings import ENVIRONMENTS, Environment, Nodes, read
from shoal.deploy.aws.target import planned
from shoal.deploy.cloud.resource import Resource
from shoal.model.plan import Plan

_INSIGHTS = (8, 6, 11)
"""Metrics of a cluster, of each kind of task and of each service (CloudWatch pricing, "Container Insights for ECS";
as known in 2025, and not checked since)."""

_RULES = 3
"""Of the firewall that `deploy` writes: one of its own, two groups that Amazon manages."""

_HEARD_IDLE = HOURS * 3600 / 20
"""Requests by which one reader asks an empty queue in a month, waiting twenty seconds each."""


def items(resources: Iterable[Resource], month: Month) -> tuple[Item, ...]:
    """List what a month of these resources is billed for; copies are counted where they are."""
    every = [one for one in resources if not isinstance(one, made.Copied) or one.place != "abroad"]
    return (*_items([one for one in every if not one.waits], month), *_waiting(every, month))


def _items(some: Sequence[Resource], month: Month) -> Iterator[Item]:
    for one in some:
        yield from _ITEMS.get(type(one), _nothing)(one, month)
    yield from _shared(tuple(some), month)


def _waiting(every: Sequence[Resource], month: Month) -> Iterator[Item]:
    """Count what stands by; nobody asks its queues, since nobody runs who hears them."""
    some = [one for one in every if one.waits and not isinstance(one, made.Queue)]
    if some:
        region = next(one.region for one in some if isinstance(one, made.Network))
        yield from second.there(_items(some, second.quiet(month)), region)
        yield from second.there(_copied(every, month), region)


def _copied(every: Sequence[Resource], month: Month) -> Iterator[Item]:
    """Count what is written in the first region, and once more in the second."""
    for one in every:
        if isinstance(one, made.Table) and one.to:
            writes = month.writes(one.service) * (1 / MILLION)
            yield Item(component="DynamoDB writes copied", price="dynamodb.copy", amount=writes, by_use=True)


def _nothing(_: Any, __: Month) -> Iterator[Item]:
    return iter(())


def _network(one: made.Network, month: Month) -> Iterator[Item]:
    gateways, through = HOURS * one.gateways, month.outside
    if one.asleep:
        return
    if one.gateways:
        yield Item(component="NAT gateways", price="nat.hour", amount=exactly(gateways))
        yield Item(component="data by NAT gateways", price="nat.gb", amount=through, by_use=True)
        yield Item(component="public addresses", price="address.hour", amount=exactly(gateways))
    if one.endpoints:
        hours = HOURS * len(one.endpoints) * one.zones
        yield Item(component="interface endpoints", price="endpoint.hour", amount=exactly(hours))
        yield Item(component="data by endpoints", price="endpoint.gb", amount=month.own, by_use=True)
    elif one.gateways:
        yield Item(component="data by NAT gateways", price="nat.gb", amount=month.own, by_use=True)
    for service, crossing in month.between(one.zones).items():
        both = crossing * Decimal(2)
        yield Item(component="data between zones", price="zones.gb", amount=both, service=service, by_use=True)


def _workload(one: made.Workload, month: Month) -> Iterator[Item]:
    processors, memory = Decimal(one.cpu) / 1024, Decimal(one.memory) / 1024
    tasks = month.tasks(one.service, least=one.least, most=one.most, processors=processors, busy=one.busy)
    tasks = exactly(one.passive) if one.passive is not None else tasks
    kind = f"fargate.{'spot.' if one.spot else ''}{'arm' if one.architecture == 'ARM64' else 'x86'}"
    hours = tasks * HOURS
    whose: dict[str, Any] = {"service": one.service}
    yield Item(component="Fargate processors", price=f"{kind}.cpu.hour", amount=hours * processors, **whose)
    yield Item(component="Fargate memory", price=f"{kind}.gb.hour", amount=hours * memory, **whose)


def _kubernetes(_: made.Kubernetes, month: Month) -> Iterator[Item]:
    """Count the cluster, the balancer before its gateway, and what leaves by it."""
    yield Item(component="EKS", price="eks.hour", amount=exactly(HOURS))
    yield Item(component="balancer", price="nlb.hour", amount=exactly(HOURS))
    if month.plan.routes:
        yield Item(component="data to clients", price="egress.gb", amount=month.answered, by_use=True)


def _nodes(one: made.Nodes, _: Month) -> Iterator[Item]:
    """Count the machines that are there at least; how many more follow from the load is not known here."""
    price = f"ec2.{'spot.' if one.spot else ''}{one.instance}.hour"
    yield Item(component="nodes", price=price, amount=exactly(HOURS * one.least))
    disks = exactly(one.least * one.disk)
    yield Item(component="disks of nodes", price="ebs.gp3.gb-month", amount=disks)


def _logs(one: made.Logs, month: Month) -> Iterator[Item]:
    gb = month.logged(one.service)
    yield Item(component="log lines taken", price="logs.gb", amount=gb, service=one.service, by_use=True)
    kept = gb * (Decimal(one.days) / 30)
    yield Item(component="log lines kept", price="logs.gb-month", amount=kept, service=one.service, by_use=True)


def _postgres(one: made.Postgres, _: Month) -> Iterator[Item]:
    copies = 1 if one.replica else one.copies
    hours, storage = exactly(HOURS * copies), exactly(one.storage * copies)
    yield Item(component="PostgreSQL", price=f"rds.{one.instance}.hour", amount=hours, service=one.service)
    yield Item(component="PostgreSQL storage", price="rds.gp3.gb-month", amount=storage, service=one.service)


def _documents(one: made.Documents, month: Month) -> Iterator[Item]:
    hours = exactly(HOURS * (1 if one.follows else one.copies))
    yield Item(component="DocumentDB", price=f"docdb.{one.instance}.hour", amount=hours, service=one.service)
    yield Item(component="DocumentDB storage", price="docdb.gb-month", amount=month.usage.stored, service=one.service)


def _table(one: made.Table, month: Month) -> Iterator[Item]:
    writes, reads = month.writes(one.service) * (1 / MILLION), month.reads(one.service) * (1 / MILLION)
    whose: dict[str, Any] = {"service": one.service, "by_use": True}
    yield Item(component="DynamoDB writes", price="dynamodb.write", amount=writes, **whose)
    yield Item(component="DynamoDB reads", price="dynamodb.read", amount=reads, **whose)
    yield Item(component="DynamoDB storage", price="dynamodb.gb-month", amount=month.usage.stored, service=one.service)


def _bucket(one: made.Bucket, month: Month) -> Iterator[Item]:
    writes, reads = (each(one.service) * (1 / MILLION) for each in (month.object_writes, month.object_reads))
    whose: dict[str, Any] = {"service": one.service, "by_use": True}
    yield Item(component="objects", price="s3.gb-month", amount=month.usage.objects, service=one.service)
    yield Item(component="objects written", price="s3.write", amount=writes, **whose)
    yield Item(component="objects read", price="s3.read", amount=reads, **whose)


def _cache(one: made.Cache, _: Month) -> Iterator[Item]:
    yield Item(
        component="Valkey",
        price=f"valkey.{one.instance}.hour",
        amount=exactly(HOURS * (1 if one.asleep else one.copies)),
    )


def _search(one: made.Search, _: Month) -> Iterator[Item]:
    hours = exactly(HOURS * one.nodes)
    yield Item(component="OpenSearch", price=f"opensearch.{one.instance}.hour", amount=hours, service=one.service)
    disks = exactly(one.storage * one.nodes)
    yield Item(component="OpenSearch storage", price="opensearch.gp3.gb-month", amount=disks, service=one.service)


def _warehouse(one: made.Warehouse, month: Month) -> Iterator[Item]:
    """Count a minute of all its processing units for each batch of facts, and reports within those minutes."""
    batches, capacity = HOURS * 3600 / max(one.pace, 60), Decimal(one.capacity)
    minutes = (min(batches, one) for one in (month.events.low, month.events.expected, month.events.high))
    hours = Range(**dict(zip(("low", "expected", "high"), (one * capacity / 60 for one in minutes), strict=True)))
    whose: dict[str, Any] = {"service": one.service, "by_use": True}
    yield Item(component="Redshift", price="redshift.rpu-hour", amount=hours, **whose)
    yield Item(component="Redshift storage", price="redshift.gb-month", amount=month.usage.stored, service=one.service)


def _queue(one: made.Queue, _: Month) -> Iterator[Item]:
    """Count what an empty queue is asked; what is heard is counted for all queues together."""
    if one.part:
        idle = exactly(_HEARD_IDLE / MILLION)
        yield Item(component="queues asked while empty", price="sqs.fifo", amount=idle, service=one.service)


def _pipe(one: made.Pipe, month: Month) -> Iterator[Item]:
    """Count what goes out: as large a part of all events as its types are of all types."""
    types = sum(len(service.publishes) for service in month.plan.system.services)
    events = month.events * (Decimal(len(one.events)) / types / MILLION)
    yield Item(component="events handed on", price="eventbridge.pipe", amount=events, by_use=True)
    yield Item(component="events on the bus", price="eventbridge.event", amount=events, by_use=True)
    yield Item(component="events heard", price="sqs.fifo", amount=events * Decimal(2), by_use=True)


def _secret(one: made.Secret, _: Month) -> Iterator[Item]:
    yield Item(component="secrets", price="secret.month", amount=exactly(1), service=one.service)


def _key(one: made.Key, _: Month) -> Iterator[Item]:
    yield Item(component="keys", price="key.month", amount=exactly(1), service=one.service)


def _alarm(one: made.Alarm, _: Month) -> Iterator[Item]:
    metrics = exactly(len(one.dimensions))
    yield Item(component="alarms", price="alarm.month", amount=metrics, service=one.service)


def _repository(one: made.Repository, month: Month) -> Iterator[Item]:
    yield Item(component="images", price="ecr.gb-month", amount=exactly(month.usage.image), service=one.service)


def _pool(_: made.Pool, month: Month) -> Iterator[Item]:
    yield Item(component="people who sign in", price="cognito.user", amount=month.usage.users)


def _address(_: made.Address, month: Month) -> Iterator[Item]:
    mails = month.requests * (month.usage.mails / 1000)
    yield Item(component="mails", price="ses.mail", amount=mails, by_use=True)


def _watched(every: tuple[Resource, ...]) -> Iterator[Item]:
    """Count what Container Insights measures: of the cluster, of each kind of task, of each service."""
    services = sum(isinstance(one, made.Workload) and one.passive != 0 for one in every)
    cluster, task, service = _INSIGHTS
    amount = exactly(cluster + services * (task + service)) if services else exactly(0)
    if any(isinstance(one, made.Cluster) and one.insights for one in every):
        yield Item(component="Container Insights", price="metrics.month", amount=amount)


def _door(one: made.Door, month: Month) -> Iterator[Item]:
    asked = month.requests
    if one.part == "second":
        yield Item(component="check that leads clients", price="dns.check.month", amount=exactly(1))
    if one.web_acl:
        yield Item(component="firewall", price="waf.acl.month", amount=exactly(1))
        yield Item(component="rules of the firewall", price="waf.rule.month", amount=exactly(_RULES))
        yield Item(component="requests by the firewall", price="waf.request", amount=asked * (1 / MILLION), by_use=True)
    yield Item(component="API requests", price="api.http", amount=asked * (1 / MILLION), by_use=True)
    yield Item(component="balancer", price="alb.hour", amount=exactly(HOURS))
    used = month.answered
    yield Item(component="balancer capacity", price="alb.lcu-hour", amount=used, by_use=True)
    yield Item(component="data to clients", price="egress.gb", amount=used, by_use=True)


def _shared(every: tuple[Resource, ...], month: Month) -> Iterator[Item]:
    """Count events once for each who hears them."""
    yield from _watched(every)
    topics = [one for one in every if isinstance(one, made.Topic)]
    if topics:
        events = month.events * (1 / MILLION)
        hearers = {(one.service, one.part) for one in every if isinstance(one, made.Queue) and one.part}
        streams = {stream for _, stream in hearers} or {""}
        each = Decimal(len(hearers)) / len(streams)
        yield Item(component="events published", price="sns.fifo", amount=events, by_use=True)
        yield Item(component="events heard", price="sqs.fifo", amount=events * (each * 2), by_use=True)


_ITEMS: Mapping[type, Callable[[Any, Month], Iterator[Item]]] = {
    made.Network: _network,
    made.Workload: _workload,
    made.Kubernetes: _kubernetes,
    made.Nodes: _nodes,
    made.Logs: _logs,
    made.Postgres: _postgres,
    made.Documents: _documents,
    made.Table: _table,
    made.Bucket: _bucket,
    made.Cache: _cache,
    made.Search: _search,
    made.Warehouse: _warehouse,
    made.Queue: _queue,
    made.Pipe: _pipe,
    made.Secret: _secret,
    made.Key: _key,
    made.Alarm: _alarm,
    made.Repository: _repository,
    made.Door: _door,
    made.Pool: _pool,
    made.Address: _address,
    made.Cluster: _nothing,
}
FREE = frozenset(
    {
        made.Bus,
        made.Group,
        made.Fence,
        made.Role,
        made.Operator,
        made.Topic,
        made.Certificate,
        made.Identity,
        made.Password,
    }
    | {made.Watch}
)
"""Kinds that cost nothing by themselves, or whose use is counted elsewhere."""


def machine(name: str, processors: int, memory: int, *, pods: int) -> Machine:
    """Describe an instance, and what each has for itself.

    That is 255 MiB and 11 MiB for each pod, 100 MiB before pods are evicted, and some 80 thousandths of a processor
    (EKS user guide, "Reserved resources"); what runs on every node has 0.2 processors and 0.25 GiB.
    """
    kept = (Decimal("0.28"), (Decimal(255 + 100 + 11 * pods) / 1024) + Decimal("0.25"))
    size = {"processors": Decimal(processors), "memory": Decimal(memory)}
    return Machine(name=name, price=f"ec2.{name}.hour", kept=kept, pods=pods, **size)


def made_for(plan: Plan, environment: Environment) -> tuple[Resource, ...]:
    """List what a plan takes; what users of a cache may do costs nothing, and is left out."""
    both = Scope(plan=plan, environment=environment).both()
    return tuple(one for scope in both for one in resources(scope))


CLUSTER = Cluster(
    title="EKS",
    control=("eks.hour",),
    machines=(
        machine("m6i.large", 2, 8, pods=29),
        machine("m6i.xlarge", 4, 16, pods=58),
    ),
    disk="ebs.gp3.gb-month",
    balancer=("nlb.hour",),
    egress="egress.gb",
    root=Decimal(Nodes().disk),
    replaces=frozenset({made.Workload, made.Door, made.Operator, made.Cluster}),
    engines=frozenset({made.Postgres, made.Documents, made.Cache, made.Search, made.Topic, made.Queue}),
)

CLOUD = Cloud(
    name="aws",
    title="AWS",
    environments=ENVIRONMENTS,
    read=read,
    plan=planned,
    resources=made_for,
    items=items,
    others=others,
    fitted=fitted,
    base=made.Resource,
    billed=frozenset(_ITEMS),
    free=FREE,
    open=frozenset({made.Copying, made.Images}),
    cluster=CLUSTER,
    serverless={"compute": "fargate"},
)
