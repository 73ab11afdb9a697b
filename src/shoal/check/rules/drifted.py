"""Files from which the system is deployed are not what it says.

## What it does

Asked by `shoal check --targets`. Compares every folder that `shoal deploy` has written with what the same command would
write today: files that a person has changed since, that are missing, and those that the system no longer asks for.
`--diff` of the command that is named shows the lines.

## Why

What runs is what the files say. A permission that was taken away in Python is still given, a new service is not there,
and what somebody changed by hand is lost when the files are next written, on a day on which nobody thinks of it.

## Bad

What was found of the files is shown as data here.

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```yaml title="deploy/base/rates/deployment.yaml"
apiVersion: apps/v1  # <- SH704
kind: Deployment
```

```placed
{"deployed": [{
  "folder": "deploy",
  "command": "shoal deploy kubernetes --out deploy",
  "changes": [
    {"path": "base/rates/deployment.yaml", "change": "changed"},
    {"path": "base/loans/deployment.yaml", "change": "removed"}
  ]
}]}
```

## Good

The command was run again, and the files are as it writes them.

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```placed
{"deployed": [{"folder": "deploy", "command": "shoal deploy kubernetes --out deploy"}]}
```
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from shoal.check.finding import Finding, Note, Place
from shoal.check.placed import Changed, Deployed
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_WORDS: Mapping[str, str] = {
    "changed": "is not as it would be written",
    "added": "is missing",
    "removed": "is no longer asked for",
}
_COUNTED: Mapping[str, str] = {"changed": "changed", "added": "missing", "removed": "too many"}
_SHOWN = 5
"""Files that are named, with that of the finding itself."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find folders that are out of date."""
    for one in subject.placed.deployed if subject.placed else ():
        if one.problem:
            yield Finding(
                where=Place(one.folder),
                message=f"{one.folder} cannot be compared with the system: {one.problem}",
                help=f"correct that, and write it anew: {one.command}",
                severity="info",
            )
        elif one.changes:
            yield _found(one)


def _found(one: Deployed) -> Finding:
    """Say at the file that somebody is most likely to look for: one that is there."""
    ordered = sorted(one.changes, key=lambda change: (list(_WORDS).index(change.change), change.path))
    counts = Counter[str](change.change for change in ordered)
    told = ", ".join(f"{counts[word]} {what}" for word, what in _COUNTED.items() if counts[word])
    return Finding(
        where=_place(one, ordered[0]),
        message=f"{one.folder} is not what the system says: {told}",
        help=f"--diff of this command shows the lines, and without it they are written anew: {one.command}",
        notes=tuple(Note(_place(one, change), _WORDS[change.change]) for change in ordered[1:_SHOWN]),
    )


def _place(one: Deployed, change: Changed) -> Place:
    path = f"{one.folder}/{change.path}" if one.folder != "." else change.path
    return Place(path, 1) if change.change != "added" else Place(path)


RULE = Rule(
    code="SH704",
    name="drifted",
    severity="warning",
    summary="files from which the system is deployed are not what it says",
    page=__doc__,
    find=find,
    needs=frozenset({"placed"}),
)
