"""Work goes on where nobody knows to which request it belongs.

## What it does

Looks for `run_in_executor`, for `submit` and `map` of an executor of `concurrent.futures`, and for `threading.Thread`
and classes that are one. What runs there has no context: it belongs to no trace, its lines carry no identifier, and
calls from there have no deadline.

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
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shoal.check.finding import Edit, Finding, Place
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module, Source
from shoal.check.subject import Subject

EXECUTORS = frozenset(
    {"concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"}
    | {"concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}
)
LOOPS = frozenset({"asyncio.get_running_loop", "asyncio.get_event_loop"})
THREADS = frozenset({"threading.Thread", "threading.Timer"})
CONTEXT = "contextvars.copy_context"


class _Known(NamedTuple):
    """What the author's source binds, by full names."""

    executors: set[str]
    threads: set[str]


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find work that leaves its context behind."""
    source = subject.source
    known = _Known(_executors(source.modules), _threads(source.modules))
    for module in source.modules:
        awaited = {id(node.value) for node in module.every(ast.Await)}
        for call in module.every(ast.Call):
            what = _leaving(source, module, call, known)
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


def _executors(modules: Iterable[Module]) -> set[str]:
    """Name what is bound to an executor, by ``=`` or ``with``: in full, and of what an object keeps its own name."""
    found: set[str] = set()
    for module in modules:
        bound = [(target, node.value) for node in module.every(ast.Assign) for target in node.targets]
        bound += [(item.optional_vars, item.context_expr) for item in module.every(ast.withitem) if item.optional_vars]
        found |= {
            _spelled(module, target)
            for target, value in bound
            if isinstance(value, ast.Call) and module.name_of(value.func) in EXECUTORS
        }
    return found


def _spelled(module: Module, node: ast.expr) -> str:
    """Name a variable, also one of another module; a name that is bound within a function is its module's here."""
    return module.known(node) or f"{module.name}.{module.name_of(node)}"


def _threads(modules: Iterable[Module]) -> set[str]:
    """Name, in full, what is a thread: also the classes of the author's that are one."""
    found = {
        f"{module.name}.{node.name}"
        for module in modules
        for node in module.top.values()
        if isinstance(node, ast.ClassDef) and not THREADS.isdisjoint(map(module.name_of, node.bases))
    }
    return found | THREADS


def _leaving(source: Source, module: Module, call: ast.Call, known: _Known) -> str:
    name = module.name_of(call.func)
    if _copies(module, call):
        return ""
    if name and source.origin(name) in known.threads:
        return name if name in THREADS else name.rpartition(".")[2]
    if not isinstance(call.func, ast.Attribute):
        return ""
    if call.func.attr == "run_in_executor":
        return "run_in_executor"
    owner = _spelled(module, call.func.value)
    submits = call.func.attr in ("submit", "map") and source.origin(owner) in known.executors
    return "an executor" if submits else ""


def _copies(module: Module, call: ast.Call) -> bool:
    """Tell whether a context is what is run: ``contextvars.copy_context().run``, also of one that has a name."""
    said = [*call.args, *(word.value for word in call.keywords)]
    runs = [part.value for part in said if isinstance(part, ast.Attribute) and part.attr == "run"]
    made = {
        _spelled(module, target)
        for node in (module.every(ast.Assign) if runs else ())
        for target in node.targets
        if isinstance(node.value, ast.Call) and module.name_of(node.value.func) == CONTEXT
    }
    return any(
        module.name_of(run.func) == CONTEXT if isinstance(run, ast.Call) else _spelled(module, run) in made
        for run in runs
    )


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
