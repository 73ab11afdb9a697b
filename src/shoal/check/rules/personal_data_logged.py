"""Data of a person goes into the log.

## What it does

Looks for calls of `logging` and `structlog` that are given something whose name says that it is of a person, such as
`member.email`, as an argument, in a formatted text or as an extra field.

## Why

Logs are copied to where many people look, are kept for months and can be searched. Nobody can take one person out of
them again. An identifier is enough to find the rest where it is protected.

## Bad

```python
import logging

from shoal import Service, System, anyone

log = logging.getLogger(__name__)
members = Service("members")


@members.get("/members", access=anyone)
async def find_by(email: str) -> int:
    \"\"\"Count who has an address.\"\"\"
    log.info("looking for %s", email)  # <- SH406
    return 0


system = System("club", services=[members])
```

## Good

```python
import logging

from shoal import Service, System, anyone

log = logging.getLogger(__name__)
members = Service("members")


@members.get("/members", access=anyone)
async def find_by(email: str) -> int:
    \"\"\"Count who has an address.\"\"\"
    log.info("looking for an address")
    return 0


system = System("club", services=[members])
```

## Options

- `names` (none): further names that are personal here.
"""

import ast
from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.logs import logged
from shoal.check.persons import told
from shoal.check.rule import Rule
from shoal.check.subject import Subject


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What else is personal."""

    names: tuple[str, ...] = ()
    """Further names."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find what is logged of persons."""
    for module in subject.source.modules:
        for call in logged(module):
            said = [*call.args, *(word.value for word in call.keywords)]
            names = {name for part in said for name in _named(part) if told(name, options.names)}
            names |= {word.arg for word in call.keywords if word.arg and told(word.arg, options.names)}
            if names:
                yield Finding(
                    where=module.head(call),
                    message=f"{', '.join(sorted(names))} goes into the log",
                    help="log an identifier instead",
                )


def _named(part: ast.expr) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


RULE = Rule(
    code="SH406",
    name="personal-data-logged",
    severity="warning",
    summary="data of a person goes into the log",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Data",),
    needs=frozenset({"source"}),
)
