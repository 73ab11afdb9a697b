"""The failure of one service reaches most of the others.

## What it does

Computes for the whole system what a change or a failure of a service reaches, on average: the share of the other
services that call it, directly or through others. This is the propagation cost of A. MacCormack, J. Rusnak and C. Y.
Baldwin ("Exploring the Structure of Complex Software Designs", Management Science 52, 2006), taken over synchronous
calls. Events do not count: who publishes waits for nobody. Systems of fewer than `services` services are left alone.

## Why

Services are worth their price when each can fail, be slow and be released without the others. Where most of them
depend on most of the others at the moment of a request, that is lost, and only the network remains.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("base")
class BaseApi(Protocol):
    @get("/base", access=internal)
    async def base(self) -> str: ...


@contract("middle")
class MiddleApi(Protocol):
    @get("/middle", access=internal)
    async def middle(self) -> str: ...


@contract("upper")
class UpperApi(Protocol):
    @get("/upper", access=internal)
    async def upper(self) -> str: ...


base = Service("base")
middle = Service("middle")
upper = Service("upper")
web = Service("web")


@base.implements(BaseApi.base)
async def lowest() -> str:
    return "done"


@middle.implements(MiddleApi.middle)
async def in_between(base: BaseApi) -> str:
    return await base.base()


@upper.implements(UpperApi.upper)
async def above(middle: MiddleApi) -> str:
    return await middle.middle()


@web.get("/page", access=anyone)
async def page(upper: UpperApi) -> str:
    return await upper.upper()


system = System("tower", services=[base, middle, upper, web])  # <- SH107
```

## Good

```python
from typing import Protocol

import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("base.changed", key="item")
class Changed(msgspec.Struct, frozen=True, kw_only=True):
    item: str


base = Service("base", store=Postgres(), publishes=[Changed])
middle = Service("middle", store=Postgres())
upper = Service("upper", store=Postgres())
web = Service("web", store=Postgres())


@middle.on(Changed)
async def middle_heard(event: Changed, tx: Transaction) -> None: ...


@upper.on(Changed)
async def upper_heard(event: Changed, tx: Transaction) -> None: ...


@web.on(Changed)
async def web_heard(event: Changed, tx: Transaction) -> None: ...


@web.get("/page", access=anyone)
async def page(tx: Transaction) -> str:
    return "done"


system = System("tower", services=[base, middle, upper, web])
```

## Options

- `most` (0.33): average share of the other services that the failure of one reaches.
- `services` (4): services of a system that is looked at.
"""

from collections.abc import Iterator, Mapping

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    most: float = 0.33
    """Average share of the other services that the failure of one reaches."""
    services: int = 4
    """Services of a system that is looked at."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find a system whose parts cannot do without each other."""
    names = [service.name for service in subject.system.services]
    if len(names) < options.services:
        return
    reached = reaches(subject, names)
    share = sum(map(len, reached.values())) / (len(names) * (len(names) - 1))
    if share > options.most:
        worst = max(names, key=lambda name: len(reached[name]))
        calls = len(subject.graph.between)
        yield Finding(
            where=subject.where,
            message=f"the failure of one service reaches {share:.0%} of the others, on average",
            impact=f"{calls} pairs of services call; without {worst}, {len(reached[worst])} others do not work",
            help="let services tell each other what happened, and answer from what they heard; give calls fallbacks",
        )


def reaches(subject: Subject, names: list[str]) -> Mapping[str, set[str]]:
    """Map each service to those that do not work without it. A call with a fallback does without its callee."""
    callers: dict[str, set[str]] = {name: set() for name in names}
    for (caller, callee), sites in subject.graph.between.items():
        if any(site.call.breaker is None or not site.call.breaker.fallback for site in sites):
            callers.setdefault(callee, set()).add(caller)
    found: dict[str, set[str]] = {}
    for name in names:
        seen, waiting = {name}, [name]
        while waiting:
            new = callers.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        found[name] = seen - {name}
    return found


RULE = Rule(
    code="SH107",
    name="distributed-monolith",
    severity="warning",
    summary="the failure of one service reaches most of the others",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Distributed monolith",),
    needs=frozenset({"calls"}),
)
