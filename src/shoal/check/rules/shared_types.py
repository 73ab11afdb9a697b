"""Services share classes of data that belong to none of them, or to one of the others.

## What it does

Looks at the imports of each service's modules. It finds records of another service, and classes of data in modules of
no service that several services import. Events, contracts and the classes of which these are made are left alone: they
are what services have in common. A service's modules are those beside its declaration, or that file where several
services stand in one folder.

## Why

A class that two services use can only be changed for both, and both have to be released together. With a record it is
worse: the other service knows how the first one stores its data, and will read it there some day.

## Bad

```python title="common.py"
import msgspec


class Customer(msgspec.Struct):  # <- SH108
    name: str
    discount: int
```

```python title="orders.py"
from common import Customer
from shoal import Service, anyone

orders = Service("orders")


@orders.get("/orders", access=anyone)
async def price() -> int:
    return 100 - Customer(name="Ada", discount=5).discount
```

```python title="letters.py"
from common import Customer
from shoal import Service, anyone

letters = Service("letters")


@letters.get("/letters", access=anyone)
async def letter() -> str:
    return f"Dear {Customer(name='Ada', discount=5).name}"
```

```python title="system.py"
from letters import letters
from orders import orders
from shoal import System

system = System("shop", services=[orders, letters])
```

## Good

Each service has a class of its own, with what it needs.

```python title="orders.py"
import msgspec

from shoal import Service, anyone

orders = Service("orders")


class Discount(msgspec.Struct):
    percent: int


@orders.get("/orders", access=anyone)
async def price() -> int:
    return 100 - Discount(percent=5).percent
```

```python title="letters.py"
import msgspec

from shoal import Service, anyone

letters = Service("letters")


class Addressee(msgspec.Struct):
    name: str


@letters.get("/letters", access=anyone)
async def letter() -> str:
    return f"Dear {Addressee(name='Ada').name}"
```

```python title="system.py"
from letters import letters
from orders import orders
from shoal import System

system = System("shop", services=[orders, letters])
```
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from shoal.check.finding import Finding, Note, Place
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module, Source
from shoal.check.subject import Subject

DATA = frozenset({"msgspec.Struct", "pydantic.BaseModel"})
"""Bases of classes of data."""
MARKS = frozenset({"dataclasses.dataclass", "attrs.define", "attrs.frozen"})
"""Decorators of classes of data."""
COMMON = ("shoal.event", "shoal.contract")
"""Marks of what services have in common."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find classes that more than their service uses."""
    owners, common = _owners(subject), _common(subject)
    records = subject.source.marked("shoal.record")
    for name, users in _imports(subject, owners).items():
        found = subject.source.class_named(name)
        if found is None or name in common:
            continue
        module, node = found
        owner = owners.get(module.name, "")
        others = {service: place for service, place in users.items() if service != owner}
        if owner and name in records and others:
            message = f"record {node.name} of {owner} is used by {', '.join(others)}"
            yield _finding(module, node, others, owner, message)
        elif not owner and len(others) > 1 and _is_data(module, node):
            message = f"{node.name} belongs to no service and is used by {', '.join(others)}"
            yield _finding(module, node, others, owner, message)


def _finding(module: Module, node: ast.ClassDef, users: Mapping[str, Place], owner: str, message: str) -> Finding:
    """Say where the class stands, or, of one that has an owner, where the first of the others imports it."""
    (first, where), *more = users.items() if owner else [("", module.head(node)), *users.items()]
    notes = [Note(module.head(node), f"it belongs to {owner}")] if first else []
    return Finding(
        where=where,
        message=message,
        impact=f"{len(users) + bool(owner)} services are released together whenever it changes",
        notes=(*notes, *(Note(place, f"{service} imports it") for service, place in more)),
        help="give each service a class of its own; what they tell each other is an event or a contract",
    )


def _owners(subject: Subject) -> dict[str, str]:
    """Map modules to the services whose they are: who is declared there, or alone in a folder around it."""
    entries = [(service.entry.partition(":")[0], service.name) for service in subject.system.services]
    within = Counter(folder for entry, _ in entries for folder in _above(entry))
    declaring = Counter(entry for entry, _ in entries)
    homes = {entry: name for entry, name in entries if declaring[entry] == 1}
    homes |= {folder: name for entry, name in entries for folder in _above(entry)[:1] if within[folder] == 1}
    found = {}
    for module in subject.source.modules:
        home = next((place for place in (module.name, *_above(module.name)) if place in homes), "")
        found[module.name] = homes.get(home, "")
    return found


def _above(module: str) -> list[str]:
    """List the packages around a module, from the inside out."""
    parts = module.split(".")[:-1]
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _imports(subject: Subject, owners: Mapping[str, str]) -> dict[str, dict[str, Place]]:
    """Map classes of the author's to the services that import them, with the place of an import of each."""
    found: dict[str, dict[str, Place]] = {}
    for module in subject.source.modules:
        service = owners.get(module.name, "")
        for node, name in _named(subject.source, module) if service else ():
            found.setdefault(subject.source.origin(name), {}).setdefault(service, module.head(node))
    return found


def _named(source: Source, module: Module) -> Iterator[tuple[ast.AST, str]]:
    """List what a module imports, and what it takes out of modules that it imports: ``common.Money``."""
    for node in module.every(ast.ImportFrom):
        yield from ((node, module.imported.get(alias.asname or alias.name, "")) for alias in node.names)
    if any(source.by_name(name) for name in module.imported.values()):
        yield from ((part, module.known(part)) for part in module.every(ast.Attribute))


def _common(subject: Subject) -> set[str]:
    """List events, contracts, and the classes of which these are made."""
    waiting = [name for mark in COMMON for name in subject.source.marked(mark)]
    found = set(waiting)
    for name in waiting:  # grows while it is read
        definition = subject.source.class_named(name)
        for part in ast.walk(definition[1]) if definition else ():
            inner = (
                subject.source.origin(definition[0].name_of(part)) if definition and isinstance(part, ast.Name) else ""
            )
            if inner and inner not in found:
                found.add(inner)
                waiting.append(inner)
    return found


def _is_data(module: Module, node: ast.ClassDef) -> bool:
    marks = {module.name_of(mark.func if isinstance(mark, ast.Call) else mark) for mark in node.decorator_list}
    return bool(DATA & {module.name_of(base) for base in node.bases} or marks & {*MARKS, "shoal.record"})


RULE = Rule(
    code="SH108",
    name="shared-types",
    severity="warning",
    summary="services share classes of data that belong to none of them",
    page=__doc__,
    find=find,
    answers=("Distributed monolith",),
    needs=frozenset({"source"}),
)
