"""A handler asks its store for each round of a loop.

## What it does

Looks in handlers, and in the functions to which they lead, for `get`, `require`, `load`, `find`, `count` and `fetch`
that happen for each round of a loop. Left alone are rounds that somebody else sets, as in a socket, and
`get(..., lock=True)`, which takes one record at a time on purpose.

## Why

A query is fast, and a hundred of them are a hundred times the way to the store and back, in one transaction that keeps
its connection meanwhile. Tests with three records show nothing of it. All records at once are one query.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str
    title: str


@tasks.get("/titles", access=internal)
async def titles(ids: list[str], tx: Transaction) -> list[str]:
    \"\"\"Tell the titles of some tasks.\"\"\"
    found = [await tx.get(Task, each) for each in ids]  # <- SH212
    return [task.title for task in found if task]


system = System("office", services=[tasks])
```

## Good

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str
    title: str


@tasks.get("/titles", access=internal)
async def titles(ids: list[str], tx: Transaction) -> list[str]:
    \"\"\"Tell the titles of some tasks.\"\"\"
    found = await tx.find(Task, {"task_id": tuple(ids)}, limit=len(ids))
    return [task.title for task in found]


system = System("office", services=[tasks])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.queries import READERS
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Use
from shoal.check.subject import Subject

ASKING = {
    "get": "one find with all of them: tx.find({0}, {{{1}: tuple(...)}})",
    "require": "one find with all of them: tx.find({0}, {{{1}: tuple(...)}})",
    "load": "load them together: tx.load_all({0}, ids)",
    "find": "one find with all values: a tuple in its condition stands for any of them",
    "count": "one find with all values, counted here, or a count in SQL",
    "fetch": "one statement with all values: WHERE ... = ANY($1)",
}
"""Method → what to do instead; of which class, and what its key is called."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what is asked again and again."""
    seen: set[ast.Call] = set()
    for handler in subject.graph.handlers:
        goes_on = handler.endpoint is not None and handler.endpoint.edge.goes_on
        for use in subject.graph.uses(handler) if not goes_on else ():
            if use.node not in seen and use.looped and use.kind.name in READERS and use.method in ASKING:
                seen.add(use.node)
                if not _locks(use):
                    yield _finding(subject, use)


def _locks(use: Use) -> bool:
    return use.method in ("get", "require") and any(word.arg == "lock" for word in use.node.keywords)


def _finding(subject: Subject, use: Use) -> Finding:
    name = use.function.module.name_of(use.node.args[0]) if use.node.args else ""
    record = subject.source.marked("shoal.record").get(subject.source.origin(name))
    key = record.said("key") if record else None
    short = name.rpartition(".")[2] or "records"
    return Finding(
        where=use.where,
        message=f"{short} is asked for in each round of a loop",
        impact="of n rounds each goes to the store and back, within one transaction",
        help=ASKING[use.method].format(short, f'"{key}"' if key else "..."),
    )


RULE = Rule(
    code="SH212",
    name="query-in-loop",
    severity="warning",
    summary="a handler asks its store for each round of a loop",
    page=__doc__,
    find=find,
    answers=("Database", "Latency"),
    needs=frozenset({"source"}),
)
