"""Work goes on where nobody knows to which request it belongs.

## What it does

Looks for `run_in_executor`, for `submit` of an executor of `concurrent.futures`, and for `threading.Thread`. What runs
there has no context: it belongs to no trace, its lines carry no identifier, and calls from there have no deadline.

`await loop.run_in_executor(None, work)` is mended by `--fix`: `asyncio.to_thread` runs it in the same threads, with the
context. An executor of one's own is left to its author.

## Why

A request that is slow or fails has to be followed to where it happens. A thread without its context is a hole in the
trace, exactly where somebody thought that the work would take long.

## Bad

```python
import asyncio

from shoal import Service, System, anyone

reports = Service("reports")


def draw() -> str:
    return "a chart"


@reports.get("/chart", access=anyone)
async def chart() -> str:
    \"\"\"Draw a chart.\"\"\"
    return await asyncio.get_running_loop().run_in_executor(None, draw)  # <- SH501


system = System("office", services=[reports])
```

## Good

```python
import asyncio

from shoal import Service, System, anyone

reports = Service("reports")


def draw() -> str:
    return "a chart"


@reports.get("/chart", access=anyone)
async def chart() -> str:
    \"\"\"Draw a chart.\"\"\"
    return await asyncio.to_thread(draw)


system = System("office", services=[reports])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Edit, Finding, Place
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

EXECUTORS = frozenset(
    {"concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"}
    | {"concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}
)
LOOPS = frozenset({"asyncio.get_running_loop", "asyncio.get_event_loop"})
THREADS = frozenset({"threading.Thread", "threading.Timer"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find work that leaves its context behind."""
    for module in subject.source.modules:
        executors, awaited = _executors(module), {id(node.value) for node in module.every(ast.Await)}
        for call in module.every(ast.Call):
            what = _leaving(module, call, executors)
            if what:
                yield Finding(
                    where=module.head(call),
                    message=f"what runs by {what} belongs to no trace",
                    help="use asyncio.to_thread(...), which takes the context along, or run it by"
                    " contextvars.copy_context().run",
                    edits=_edits(module, call) if id(call) in awaited else (),
                )


def _edits(module: Module, call: ast.Call) -> tuple[Edit, ...]:
    """Let the usual threads be asked with the context, where that is all that changes."""
    usual = isinstance(call.args[0], ast.Constant) and call.args[0].value is None if call.args else False
    if not usual or len(call.args) == 1 or call.keywords or not isinstance(call.func, ast.Attribute):
        return ()
    loop, begin, end = call.func.value, module.place(call), module.place(call.args[1])
    asked = module.name_of(loop.func) if isinstance(loop, ast.Call) and not loop.args else ""
    known = isinstance(loop, ast.Name) or asked in LOOPS
    if not known or begin.line != end.line or module.imported.get("asyncio") != "asyncio":
        return ()
    return (Edit(Place(begin.file, begin.line, begin.column, end.line, end.column), "asyncio.to_thread("),)


def _executors(module: Module) -> set[str]:
    """Name what is bound to an executor: by ``=``, by an annotation of it, by ``with``."""
    found: set[str] = set()
    for assigned in module.every(ast.Assign):
        if _makes(module, assigned.value):
            found |= {target.id for target in assigned.targets if isinstance(target, ast.Name)}
    for entered in module.every(ast.With):
        found |= {
            item.optional_vars.id
            for item in entered.items
            if isinstance(item.optional_vars, ast.Name) and _makes(module, item.context_expr)
        }
    return found


def _makes(module: Module, value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and module.name_of(value.func) in EXECUTORS


def _leaving(module: Module, call: ast.Call, executors: set[str]) -> str:
    if module.name_of(call.func) in THREADS:
        return module.name_of(call.func)
    if not isinstance(call.func, ast.Attribute):
        return ""
    if call.func.attr == "run_in_executor":
        return "run_in_executor"
    owner = call.func.value
    submits = call.func.attr == "submit" and isinstance(owner, ast.Name) and owner.id in executors
    return "an executor" if submits and not _copies(call) else ""


def _copies(call: ast.Call) -> bool:
    """Tell whether a context is what is run."""
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Attribute) and first.attr == "run"


RULE = Rule(
    code="SH501",
    name="context-lost",
    severity="warning",
    summary="work goes on where nobody knows to which request it belongs",
    page=__doc__,
    find=find,
    answers=("Missing observability",),
    needs=frozenset({"source"}),
    fixable=True,
)
