"""Lines are written past the service's log, and belong to no trace.

## What it does

Looks for loggers that keep their lines to themselves (`propagate = False`), for handlers that are added to loggers, and
for libraries that write by themselves: loguru, and structlog where nothing hands its lines on to `logging`.

## Why

The framework writes every line of `logging` with the request's trace, its service and its level, and masks secrets in
it. A line that goes another way has none of that: it is in the log, and not on the page of the request that failed.

## Bad

```python
import logging

from shoal import Service, System, anyone

log = logging.getLogger("shop")
log.propagate = False  # <- SH506
log.addHandler(logging.StreamHandler())  # <- SH506

orders = Service("orders")


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    log.info("somebody looks")
    return []


system = System("shop", services=[orders])
```

## Good

```python
import logging

from shoal import Service, System, anyone

log = logging.getLogger(__name__)

orders = Service("orders")


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    log.info("somebody looks")
    return []


system = System("shop", services=[orders])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

HANDED_ON = "structlog.stdlib"
"""What hands structlog's lines on."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what writes lines of its own."""
    modules = subject.source.modules
    structured = [module for module in modules if any(name.startswith("structlog") for name in module.wanted)]
    handed_on = any(_names(module, HANDED_ON) for module in structured)
    for module in modules:
        yield from _kept(module)
        yield from _libraries(module, handed_on=handed_on)


def _kept(module: Module) -> Iterator[Finding]:
    """Find loggers that keep lines to themselves, or write them twice."""
    if not any(name.partition(".")[0] == "logging" for name in module.imported.values()):
        return
    for assigned in module.every(ast.Assign):
        named = any(isinstance(target, ast.Attribute) and target.attr == "propagate" for target in assigned.targets)
        if named and isinstance(assigned.value, ast.Constant) and assigned.value.value is False:
            yield _found(module, assigned, "the lines of this logger do not reach the service's log")
    for call in module.every(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "addHandler":
            yield _found(module, call, "a handler writes these lines without trace, service and level")


def _libraries(module: Module, *, handed_on: bool) -> Iterator[Finding]:
    named: list[tuple[ast.stmt, str]] = [(node, node.module or "") for node in module.every(ast.ImportFrom)]
    named += [(node, alias.name) for node in module.every(ast.Import) for alias in node.names]
    for node, name in named:
        top = name.partition(".")[0]
        if top == "loguru" or (top == "structlog" and not handed_on):
            yield _found(module, node, f"{top} writes its lines past the service's log")


def _names(module: Module, wanted: str) -> bool:
    """Tell whether a module names something of another one."""
    named = (module.name_of(node) for node in module.every(ast.Attribute))
    return any(name.startswith(wanted) for name in (*named, *module.imported.values()))


def _found(module: Module, node: ast.AST, what: str) -> Finding:
    return Finding(
        where=module.head(node), message=what, help="log = logging.getLogger(__name__), and leave the rest to Shoal"
    )


RULE = Rule(
    code="SH506",
    name="logged-past",
    severity="warning",
    summary="lines are written past the service's log, and belong to no trace",
    page=__doc__,
    find=find,
    answers=("Missing observability", "Monitoring"),
    needs=frozenset({"source"}),
)
