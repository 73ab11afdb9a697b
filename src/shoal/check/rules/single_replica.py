"""What is critical depends on a service with one replica.

## What it does

Follows the calls of operations that are declared `critical=True`, and looks at how many replicas the services on that
way have at rest (`least`) in each environment of `targets/`. Environments that are called `dev`, `test` or `preview`
may have one.

Of a system in files of Kubernetes it looks at the services that can be reached from outside (`Ingress`, routes, a
`LoadBalancer`), and at those to which they lead.

## Why

Each release, each node that is drained and each process that ends takes the only replica with it. For a critical way
that is an outage, planned or not.

## Bad

```python
from shoal import Service, System, anyone

orders = Service("orders")


@orders.post("/orders", access=anyone, critical=True)
async def place() -> None:
    \"\"\"Place an order.\"\"\"


system = System("shop", services=[orders])
```

```toml title="targets/production.toml"
name = "production"

[services.orders]
least = 1  # <- SH308
```

## Good

```python
from shoal import Service, System, anyone

orders = Service("orders")


@orders.post("/orders", access=anyone, critical=True)
async def place() -> None:
    \"\"\"Place an order.\"\"\"


system = System("shop", services=[orders])
```

```toml title="targets/production.toml"
name = "production"

[services.orders]
least = 2
```

## Options

`may`: beginnings of the names of environments in which one replica is enough: `dev`, `test`, `preview`.
"""

from collections.abc import Iterator, Sequence

import msgspec

from shoal.check.finding import Finding, Note
from shoal.check.graph import Handler
from shoal.check.importing.edges import calls, reached
from shoal.check.importing.facts import Facts, Unit
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.targets import LEAST, targets

_NAMED = 10
"""Services that a finding about many of them names."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    may: tuple[str, ...] = ("dev", "test", "preview")


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find services on critical ways that have one replica at rest."""
    if subject.imported is not None:
        yield from _imported(subject.imported)
        return
    needed = _needed(subject)
    for target in targets(subject.files):
        if target.name.startswith(options.may):
            continue
        for service, critical in needed.items():
            if target.of(service, "least", LEAST) == 1:
                yield Finding(
                    where=target.place(service, "least"),
                    message=f"{service} has one replica in {target.name}, and {critical} is critical and needs it",
                    impact=f"each release and each drained node stops {critical}",
                    help="write least = 2 or more",
                )


def _imported(facts: Facts) -> Iterator[Finding]:
    """Find services with one replica behind what can be reached from outside; a finding for each way in."""
    cluster = facts.only("kubernetes")
    for entry, way in reached(cluster, calls(cluster)).items():
        units = {name: cluster.services[name] for name in way}
        alone = {name: unit for name, own in units.items() if (unit := _alone(own)) is not None}
        first = alone.get(entry) or next(iter(alone.values()), None)
        if first is None:
            continue
        others = [unit for unit in alone.values() if unit is not first][:_NAMED]
        ways = ", ".join(dict.fromkeys(door.text for unit in units[entry] for door in unit.doors))
        whom = f"{len(alone)} of the {len(units)} services on the way have one replica: {_named(sorted(alone))}"
        whom = whom if len(units) > 1 else "it has one replica"
        yield Finding(
            where=first.replicas_at or first.where,
            message=f"{entry} can be reached from outside ({ways}), and {whom}",
            impact="each release, each drained node and each process that ends takes it with it",
            notes=tuple(Note(unit.replicas_at or unit.where, f"{unit.name} has one, too") for unit in others),
            help="write replicas: 2 or more, or let a HorizontalPodAutoscaler keep two",
        )


def _named(services: Sequence[str]) -> str:
    return ", ".join(services[:_NAMED]) + (", ..." if len(services) > _NAMED else "")


def _alone(units: Sequence[Unit]) -> Unit | None:
    """Find a unit that is all of a service in its namespace, with one replica."""
    spaces: dict[str, list[Unit]] = {}
    for unit in units:
        spaces.setdefault(unit.scope, []).append(unit)
    return next((own[0] for own in spaces.values() if len(own) == 1 and own[0].replicas == 1), None)


def _needed(subject: Subject) -> dict[str, str]:
    """Map the services that critical operations need to the first such operation."""
    graph = subject.graph
    found: dict[str, str] = {}
    for start in graph.handlers:
        if start.endpoint is None or not start.endpoint.critical:
            continue
        waiting: list[Handler] = [start]
        seen: set[Handler] = set()
        while waiting:
            one = waiting.pop()
            seen.add(one)
            found.setdefault(one.service.name, str(start))
            others = (graph.answering.get(site.callee) for site in graph.sites.get(one, ()))
            waiting += [other for other in others if other is not None and other not in seen]
    return found


RULE = Rule(
    code="SH308",
    name="single-replica",
    severity="warning",
    summary="what is critical depends on a service with one replica",
    page=__doc__,
    find=find,
    options=Options,
    needs=frozenset({"objects"}),
)
