"""An operation has ended, and its code is still there.

## What it does

Looks for operations whose `sunset` is over. They answer 410 to everybody. Those of the system's own services that still
call one are named.

## Why

Nobody can use it any more, yet it is read, tested and secured like the others. A service of the system that still calls
it fails every time.

## Bad

```python
import datetime as dt

from shoal import Service, System, anyone

orders = Service("orders")


@orders.get("/orders", access=anyone, version=1, sunset=dt.date(2024, 6, 30))  # <- SH605
async def first() -> list[str]:
    \"\"\"Orders, by number.\"\"\"
    return []


@orders.get("/orders", access=anyone, version=2)
async def second() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[orders])
```

## Good

```python
from shoal import Service, System, anyone

orders = Service("orders")


@orders.get("/orders", access=anyone, version=2)
async def second() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[orders])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.model.change import callers


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find operations that are over."""
    for service in subject.system.services:
        for endpoint in service.endpoints:
            end = endpoint.edge.version.sunset if endpoint.edge.version else None
            if subject.now is None or end is None or end > subject.now:
                continue
            calling = callers(subject.system, service.name, endpoint.name)
            yield Finding(
                where=subject.place(endpoint.source),
                message=f"{endpoint.method} {endpoint.path} has answered 410 since {end:%Y-%m-%d}",
                impact=f"{', '.join(calling)} still calls it, and fails" if calling else "",
                help=f"remove it{', after its callers have moved to another version' if calling else ''}; where"
                f' contracts are locked: shoal contract lock --breaking "it ended on {end:%Y-%m-%d}"',
                severity="error" if calling else None,
            )


RULE = Rule(
    code="SH605",
    name="sunset-passed",
    severity="warning",
    summary="an operation has ended, and its code is still there",
    page=__doc__,
    find=find,
    needs=frozenset({"declarations", "now"}),
)
