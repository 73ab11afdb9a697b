"""Data of a person is kept or announced as it is.

## What it does

Looks for fields of records and events whose names say that they are of a person, such as `email`, `clerk_phone` or
`iban`, also of the classes of which they are made, and that are not marked `Personal`; `name`, too, beside such a
field. What is marked is encrypted with a key of that person alone, in the store, in the outbox, in the broker and in
every copy.

## Why

A dump, a replica, a backup or a reader of the broker sees it in clear. And it cannot be forgotten: an event that was
delivered lies in streams, journals and warehouses for years. With a key of its own, all copies end with the key.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, event, record


@record("members", key="member_id")
class Member(msgspec.Struct, frozen=True):
    member_id: str
    email: str  # <- SH405


@event("members.joined", key="member_id")
class Joined(msgspec.Struct, frozen=True, kw_only=True):
    member_id: str
    email: str  # <- SH405


members = Service("members", store=Postgres(), publishes=[Joined])


@members.on(Joined)
async def keep(event: Joined, tx: Transaction) -> None:
    tx.put(Member(event.member_id, event.email))


system = System("club", services=[members])
```

## Good

```python
import msgspec

from shoal import Personal, Postgres, Service, System, Transaction, event, record


@record("members", key="member_id")
class Member(msgspec.Struct, frozen=True):
    member_id: str
    email: Personal[str]


@event("members.joined", key="member_id")
class Joined(msgspec.Struct, frozen=True, kw_only=True):
    member_id: str
    email: Personal[str]


members = Service("members", store=Postgres(), publishes=[Joined])


@members.on(Joined)
async def keep(event: Joined, tx: Transaction) -> None:
    tx.put(Member(event.member_id, event.email))


system = System("club", services=[members])
```

## Options

- `names` (none): further names of fields that are personal here.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec

from shoal.check.finding import Finding, Note
from shoal.check.persons import declared, fields, marked, told
from shoal.check.rule import Rule
from shoal.check.source import Module, Source
from shoal.check.subject import Subject

BESIDE = ("name",)
"""Names that are a person's where something else of a person stands beside them."""

KINDS = {"shoal.record": "kept", "shoal.event": "announced"}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What else is personal."""

    names: tuple[str, ...] = ()
    """Further names of fields."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find fields of persons that are not marked."""
    for module in subject.source.modules:
        for by, done in KINDS.items():
            for node in declared(module, by):
                named = {getattr(field.target, "id", ""): field for field in fields(node)}
                own = _own(module, named, options.names)
                for name, field in named.items():
                    if marked(module, field.annotation):
                        continue
                    inner = _inner(subject.source, module, field.annotation, options.names)
                    if name in own or inner is not None:
                        yield _finding(module, field, f"{node.name}.{name} is {done} in clear", inner)


def _own(module: Module, named: Mapping[str, ast.AnnAssign], more: tuple[str, ...]) -> set[str]:
    """Name the fields of a class that are a person's."""
    some = any(told(name, more) or marked(module, field.annotation) for name, field in named.items())
    found = {name for name in named if told(name, (*more, *BESIDE) if some else more)}
    return {name for name in found if module.name_of(named[name].annotation) != "bool"}


def _inner(source: Source, module: Module, annotation: ast.expr, more: tuple[str, ...]) -> Note | None:
    """Find a field of a person in the classes of which a field is made; None where there is none."""
    waiting, seen = [(module, annotation)], set[ast.ClassDef]()
    for home, said in waiting:  # grows while it is read
        names = (home.name_of(part) for part in _parts(said) if isinstance(part, ast.Name | ast.Attribute))
        for owner, node in filter(None, map(source.class_named, names)):
            for field in fields(node) if node not in seen else ():
                name = getattr(field.target, "id", "")
                if name in _own(owner, {name: field}, more):
                    return Note(owner.head(field), f"{node.name}.{name} is within it")
                waiting.append((owner, field.annotation))
            seen.add(node)
    return None


def _parts(annotation: ast.expr) -> Iterator[ast.AST]:
    """List the parts of an annotation, those of one that is written as a text included."""
    for part in ast.walk(annotation):
        yield part
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            with suppress(SyntaxError, ValueError):
                yield from ast.walk(ast.parse(part.value, mode="eval"))


def _finding(module: Module, field: ast.AnnAssign, message: str, inner: Note | None) -> Finding:
    name, written = getattr(field.target, "id", ""), module.written(field.annotation)
    known = inner is None and ({"str", "None"} & set(re.findall(r"\w+", written)))
    return Finding(
        where=module.head(field),
        message=message,
        notes=(inner,) if inner is not None else (),
        help=f"{name}: Personal[{written}]" if known else f"{name}: Annotated[{written}, personal(erased=...)]",
    )


RULE = Rule(
    code="SH405",
    name="personal-data-open",
    severity="warning",
    summary="data of a person is kept or announced as it is",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Data",),
    needs=frozenset({"source"}),
)
