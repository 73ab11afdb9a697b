"""Something is printed that should be logged.

## What it does

Looks for `print` in functions to which handlers lead, and for what prints in its place there: `sys.stdout.write`,
`sys.stderr.write`, `pprint`, `rich.print` and `traceback.print_exc`.

## Why

A printed line has no level, no time, no service and no trace. Nobody can ask for what was printed while one order was
placed, secrets in it are not masked, and whoever reads the log as JSON stumbles on it.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    \"\"\"What one unit is worth today.\"\"\"
    print("somebody asked")  # <- SH503
    return "1.08"


system = System("bank", services=[rates])
```

## Good

```python
import logging

from shoal import Service, System, anyone

log = logging.getLogger(__name__)
rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    \"\"\"What one unit is worth today.\"\"\"
    log.info("somebody asked")
    return "1.08"


system = System("bank", services=[rates])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Function
from shoal.check.subject import Subject

PRINTING = frozenset(
    {"print", "sys.stdout.write", "sys.stderr.write", "pprint.pprint", "pprint.pp", "rich.print"}
    | {"traceback.print_exc", "traceback.print_exception", "traceback.print_stack"}
)
FAILURES = "traceback."
"""What prints an error, for which logging has a method of its own."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what is printed while work is done."""
    seen: set[Function] = set()
    for handler in subject.graph.handlers:
        for function in subject.graph.reached(handler):
            if function not in seen:
                seen.add(function)
                yield from _printed(function)


def _printed(function: Function) -> Iterator[Finding]:
    for node, _looped in function.body:
        name = function.module.name_of(node.func) if isinstance(node, ast.Call) else ""
        if name in PRINTING:
            instead = 'log.exception("...")' if name.startswith(FAILURES) else "log.info(...)"
            yield Finding(
                where=function.module.head(node),
                message=f"{name} writes a line without level, service and trace",
                help=f"log = logging.getLogger(__name__) at the top, and {instead} here",
            )


RULE = Rule(
    code="SH503",
    name="printed",
    severity="warning",
    summary="something is printed that should be logged",
    page=__doc__,
    find=find,
    answers=("Missing observability",),
    needs=frozenset({"source"}),
)
