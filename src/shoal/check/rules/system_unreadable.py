"""The system cannot be read: its declarations are impossible, or its modules or contracts cannot be read.

## What it does

Shows the error with which any other command would end, as a finding at its place, so that it reaches whoever reads
findings.

Where only the files of contracts cannot be read, all other rules are asked.

## Why

No rule can be asked about a system that cannot be read. In a pipeline the file of findings would otherwise be missing.

## Bad

```python
from shoal import Service, System, anyone

tasks = Service("tasks")


@tasks.get("/tasks/{task_id}", access=anyone)  # <- SH002
async def show(number: int) -> str:
    return "a task"


system = System("office", services=[tasks])
```

## Good

```python
from shoal import Service, System, anyone

tasks = Service("tasks")


@tasks.get("/tasks/{task_id}", access=anyone)
async def show(task_id: int) -> str:
    return "a task"


system = System("office", services=[tasks])
```
"""

from shoal.check.rule import Rule, nothing

RULE = Rule(
    code="SH002",
    name="system-unreadable",
    severity="error",
    summary="the system cannot be read",
    page=__doc__,
    find=nothing,
)
