"""A public service promises nothing.

## What it does

Looks for services with operations that the gateway serves, of which neither the service nor any of those operations has
an objective.

## Why

Nobody can say whether it is well. An alarm at every error wakes people for nothing, an alarm at none wakes nobody; with
an objective, alarms come when so many requests fail that the promise would not be kept.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")  # <- SH504


@rates.get("/rates", access=anyone)
async def today() -> str:
    \"\"\"What one unit is worth today.\"\"\"
    return "1.08"


system = System("bank", services=[rates])
```

## Good

```python
from shoal import Objective, Service, System, anyone

rates = Service("rates", objectives=[Objective(availability=0.999)])


@rates.get("/rates", access=anyone, objectives=[Objective(latency=0.3, target=0.99)])
async def today() -> str:
    \"\"\"What one unit is worth today.\"\"\"
    return "1.08"


system = System("bank", services=[rates])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.promises import needed, usual
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find public services without an objective."""
    for service in subject.system.services:
        public = [endpoint for endpoint in service.endpoints if endpoint.exposed]
        if public and not service.objectives and not any(endpoint.objectives for endpoint in public):
            many = f"{len(public)} public operations" if len(public) > 1 else "a public operation"
            own = [h for h in subject.graph.handlers if h.service is service and h.endpoint in public]
            share = min(usual(needed(subject, handler)) for handler in own)
            yield Finding(
                where=subject.place(service.source),
                message=f"{service.name} serves {many} and promises nothing",
                help=f'Service("{service.name}", objectives=[Objective(availability={share:g})])',
            )


RULE = Rule(
    code="SH504",
    name="objective-missing",
    severity="info",
    summary="a public service promises nothing",
    page=__doc__,
    find=find,
    answers=("Missing observability", "Monitoring"),
    needs=frozenset({"declarations"}),
)
