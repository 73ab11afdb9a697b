"""What is critical depends on a service with one replica.

## What it does

Follows the calls of operations that are declared `critical=True`, and looks at how many replicas the services on that
way have at rest (`least`) in each environment of `targets/`. Environments that are called `dev`, `test` or `preview`
may have one.

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

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.graph import Handler
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.targets import LEAST, targets


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    may: tuple[str, ...] = ("dev", "test", "preview")


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find services on critical ways that have one replica at rest."""
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
