"""A service may call what it never calls.

## What it does

Looks for handlers that take a contract as a parameter and never use it. The parameter is a declaration: the policies of
every target let the service call the operations of that contract.

## Why

Each permission that nobody needs is one that an intruder has. And the picture of the system shows a dependency that is
not there.

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


@orders.get("/orders", access=anyone)
async def show(users: UsersApi) -> list[str]:  # <- SH404
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[users, orders])
```

## Good

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


@orders.get("/orders", access=anyone)
async def show(users: UsersApi) -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return await users.names()


system = System("shop", services=[users, orders])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Function
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find contracts that a handler takes and never uses."""
    for handler in subject.graph.handlers:
        function = handler.function
        for name, kind in function.kinds.items() if function else ():
            contract = subject.source.contract(kind.name)
            if function is None or contract is None or _names(function, name):
                continue
            yield Finding(
                where=function.module.place(function.parameters[name]),
                message=f"{handler} takes {kind.name.rpartition('.')[2]} and never uses it",
                impact=f"{handler.service.name} may call {', '.join(sorted(contract.operations))} of"
                f" {contract.service} for nothing",
                help=f"remove the parameter {name}",
            )


def _names(function: Function, name: str) -> bool:
    """Tell whether a function does something with a name; ``_ = name`` and ``del name`` are nothing."""
    void = {id(node.value) for node, _ in function.body if isinstance(node, ast.Assign) and _nowhere(node)}
    named = (node for node, _ in function.body if isinstance(node, ast.Name) and node.id == name)
    return any(isinstance(node.ctx, ast.Load) and id(node) not in void for node in named)


def _nowhere(node: ast.Assign) -> bool:
    return all(isinstance(target, ast.Name) and target.id == "_" for target in node.targets)


RULE = Rule(
    code="SH404",
    name="permission-unused",
    severity="warning",
    summary="a service may call what it never calls",
    page=__doc__,
    find=find,
    answers=("Authorization",),
    needs=frozenset({"source"}),
)
