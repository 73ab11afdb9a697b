"""A handler reads all records of a kind, however many there are.

## What it does

Looks in handlers for `find` without a condition and without a `limit`, and for SQL of their own that reads a table with
neither `WHERE` nor `LIMIT`. What has a condition is left alone: nobody knows how much of it there is.

## Why

It is fast as long as the table is small, which it is in tests and in the first months. Then each request reads more
than the last one, until it takes the service's memory and the caller's time.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str
    title: str


@tasks.get("/tasks", access=internal)
async def list_tasks(tx: Transaction) -> list[Task]:
    \"\"\"List the tasks.\"\"\"
    return await tx.find(Task, order=["title"])  # <- SH208


@tasks.get("/tasks/titles", access=internal)
async def list_titles(tx: Transaction) -> list[Task]:
    \"\"\"List the tasks by title.\"\"\"
    return await tx.fetch(Task, "SELECT task_id, title FROM tasks ORDER BY title")  # <- SH208


system = System("office", services=[tasks])
```

## Good

```python
import msgspec

from shoal import Page, PageRequest, Postgres, Service, System, Transaction, internal, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str
    title: str


@tasks.get("/tasks", access=internal)
async def list_tasks(page: PageRequest, tx: Transaction) -> Page[Task]:
    \"\"\"List the tasks, a page at a time.\"\"\"
    found = await tx.find(Task, order=["title"], limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(Task))


@tasks.get("/tasks/titles", access=internal)
async def list_titles(tx: Transaction) -> list[Task]:
    \"\"\"List the first hundred tasks by title.\"\"\"
    return await tx.fetch(Task, "SELECT task_id, title FROM tasks ORDER BY title LIMIT 100")


system = System("office", services=[tasks])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.queries import queries, sql
from shoal.check.rule import Nothing, Rule
from shoal.check.source.texts import UNKNOWN
from shoal.check.sql.tokens import has, named, statements
from shoal.check.subject import Subject

FEW = ("where", "limit", "fetch", "group", "join", "union", "having")
"""Words with which a query reads less than all of a table, or nobody knows how much."""

ONE = frozenset({"count", "sum", "min", "max", "avg", "exists", "bool_or", "bool_and"})
"""Functions that make one row of all."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find queries that grow with their table."""
    for query in queries(subject):
        if query.use.method == "find" and query.where == frozenset() and not query.limited:
            yield Finding(
                where=query.use.where,
                message=f"every {query.name} is read, however many there are",
                help="say how many: limit=100, or a page of them: limit=page.limit, offset=page.offset",
            )
    for handler in subject.graph.handlers:
        for use in subject.graph.uses(handler):
            if use.method == "fetch" and (table := _whole(sql(subject, use))) != "":
                yield Finding(
                    where=use.where,
                    message=f"every row of {table} is read, however many there are",
                    help="say how many: LIMIT 100",
                )


def _whole(text: str) -> str:
    """Name the table of which the service's own SQL reads everything."""
    said = next(statements(text), ())
    texts = [token.text for token in said]
    if not texts or texts[0] != "select" or "from" not in texts or not {*FEW, UNKNOWN}.isdisjoint(texts):
        return ""
    begin = texts.index("from")
    table, rest = named(said[begin + 1 :])
    return "" if ONE & set(texts[1:begin]) or has(rest, "(") or has(rest, ",") or table == "(" else table


RULE = Rule(
    code="SH208",
    name="query-without-limit",
    severity="warning",
    summary="a handler reads all records of a kind, however many there are",
    page=__doc__,
    find=find,
    answers=("Database",),
    needs=frozenset({"source"}),
)
