"""A run saw a call or an event that nobody declared.

## What it does

Compares what a run recorded with what is declared (`shoal check --observed`): which service asked which operation, and
announced or took which event. Sessions in databases of others are [SH202](SH202.md).

## Why

Policies, the plan of failures and every picture of the system follow from the declarations. What goes past them is
refused by the policies of the next target, or, worse, is not.

## Bad

```python
from shoal import Postgres, Service, System, anyone, internal

users = Service("users", store=Postgres())
orders = Service("orders", store=Postgres())  # <- SH407


@users.get("/names", access=internal)
async def names() -> list[str]:
    \"\"\"Who there is.\"\"\"
    return []


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[users, orders])
```

```observed
{
  "run": "run 14", "seconds": 60,
  "calls": [
    {"caller": "gateway", "callee": "orders", "endpoint": "show", "count": 12},
    {"caller": "orders", "callee": "users", "endpoint": "GET /names", "count": 12}
  ]
}
```

## Good

```python
from typing import Protocol

from shoal import Postgres, Service, System, anyone, contract, get, internal


@contract("users")
class UsersApi(Protocol):
    @get("/names", access=internal)
    async def names(self) -> list[str]: ...


users = Service("users", store=Postgres())
orders = Service("orders", store=Postgres())


@users.implements(UsersApi.names)
async def names() -> list[str]:
    \"\"\"Who there is.\"\"\"
    return []


@orders.get("/orders", access=anyone)
async def show(users: UsersApi) -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return await users.names()


system = System("shop", services=[users, orders])
```

```observed
{
  "run": "run 15", "seconds": 60,
  "calls": [
    {"caller": "gateway", "callee": "orders", "endpoint": "show", "count": 12},
    {"caller": "orders", "callee": "users", "endpoint": "names", "count": 12}
  ]
}
```
"""

from collections.abc import Iterator

from shoal.check import permissions
from shoal.check.finding import Finding, Note, Place
from shoal.check.observed import Observed, SeenCall
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.model.plan import GATEWAY


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what a run saw and nobody declared."""
    if subject.observed is None:
        return
    allowed = set(permissions.declared(subject.system))
    for call in subject.observed.calls:
        yield from _call(subject, subject.observed, call, allowed)
    for event in subject.observed.events:
        heard = f"hears {event.event}, and does not subscribe to it", "declare a handler: {}.on(...)"
        told = f"announces {event.event}, and does not publish it", "add it to the publishes=[...] of {}"
        pairs = [(event.producer, "publish", told), (event.consumer, "hear", heard)]
        for who, act, (message, help_) in pairs:
            if who and permissions.Permission(who, act, event.event) not in allowed:  # type: ignore[arg-type]
                yield Finding(
                    where=_where(subject, who),
                    message=f"{who} {message}: {_times(event.count, subject.observed)}",
                    help=help_.format(who),
                )


def _call(
    subject: Subject, observed: Observed, call: SeenCall, allowed: set[permissions.Permission]
) -> Iterator[Finding]:
    what = permissions.callee(subject.system, call)
    ours = {service.name for service in subject.system.services}
    if call.caller == call.callee or permissions.Permission(call.caller, "call", what) in allowed:
        return
    counted = _times(call.count, observed)
    if call.callee in ours:
        endpoint = subject.system.service(call.callee).endpoint(what.partition(".")[2])
        if endpoint is None and any(
            one[:2] == (call.caller, "call") and one.what.startswith(f"{call.callee}.") for one in allowed
        ):
            return  # what exactly it asked for is not known, and it may ask for something there
        yield Finding(
            where=_where(subject, call.caller if call.caller in ours else call.callee, call.within),
            message=f"{call.caller} calls {what}, and does not declare it: {counted}",
            help=f"let a handler of {call.caller} take the contract of {call.callee}, or stop calling it",
            notes=(Note(subject.place(endpoint.source), f"what is called: {what}"),) if endpoint else (),
        )
    elif call.caller in ours and (call.callee == GATEWAY or not subject.system.service(call.caller).externals):
        yield Finding(
            where=_where(subject, call.caller, call.within),
            message=f"{call.caller} calls {call.callee}, which is neither a service nor declared outside: {counted}",
            help=f'declare it: External(name=..., setting=...), and Service("{call.caller}", externals=[...])',
            severity="warning",
        )


def _times(count: int, observed: Observed) -> str:
    return f"{count} time{'s' * (count != 1)} in {observed.run}"


def _where(subject: Subject, service: str, within: str = "") -> Place:
    """Say where the handler is that did it, or the service, where nobody knows that."""
    handlers = [one.where for one in subject.graph.handlers if within and str(one) == within]
    known = next((one.source for one in subject.system.services if one.name == service), "")
    return subject.place(next(iter(handlers), known))


RULE = Rule(
    code="SH407",
    name="edge-undeclared",
    severity="error",
    summary="a run saw a call or an event that nobody declared",
    page=__doc__,
    find=find,
    answers=("Authorization",),
    needs=frozenset({"observed"}),
)
