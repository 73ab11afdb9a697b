"""A service may do what a run never saw it do.

## What it does

Lists, of the services that did something in a run (`shoal check --observed`), the calls, events and outside systems
that are declared and were not used. `shoal check --observed --policy` shows what is left as a diff of permissions.

## Why

Each permission that nobody needs is one that an intruder has. A run shows what code does that no reading of it shows;
but a short one shows little: whether the rest is needed is for a person to say.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("users")
class UsersApi(Protocol):
    @get("/names", access=internal)
    async def names(self) -> list[str]: ...


users = Service("users")
orders = Service("orders")


@users.implements(UsersApi.names)
async def names() -> list[str]:
    \"\"\"Who there is.\"\"\"
    return []


@orders.get("/orders", access=anyone)  # <- SH408
async def show(users: UsersApi, *, old: bool = False) -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return await users.names() if old else []


system = System("shop", services=[users, orders])
```

```observed
{
  "run": "run 14", "seconds": 3600,
  "operations": [{"service": "orders", "endpoint": "show", "count": 9000}]
}
```

## Good

```python
from shoal import Service, System, anyone

orders = Service("orders")


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[orders])
```

```observed
{
  "run": "run 15", "seconds": 3600,
  "operations": [{"service": "orders", "endpoint": "show", "count": 9000}]
}
```
"""

from collections.abc import Iterator

from shoal.check import permissions
from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_WORDS = {"call": "call", "publish": "announce", "hear": "hear"}


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what is declared and was not used."""
    if subject.observed is None:
        return
    declared = permissions.declared(subject.system)
    announced = {event.event for event in subject.observed.events}
    for permission in permissions.unused(subject.system, subject.observed):
        if permission.act == "hear" and permission.what not in announced:
            continue  # nobody announced it, which is said where it is declared
        yield Finding(
            where=subject.place(declared[permission]),
            message=f"{permission.who} may {_WORDS[permission.act]} {permission.what}, and did not in"
            f" {subject.observed.run} ({subject.observed.seconds:.0f} s)",
            help="take the declaration away, if no other day needs it; shoal check --observed --policy lists all",
        )


RULE = Rule(
    code="SH408",
    name="edge-unused",
    severity="info",
    summary="a service may do what a run never saw it do",
    page=__doc__,
    find=find,
    answers=("Authorization",),
    needs=frozenset({"observed"}),
)
