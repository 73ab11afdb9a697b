"""Data of a person is kept or announced as it is.

## What it does

Looks for fields of records and events whose names say that they are of a person, such as `email`, `phone` or `iban`,
and that are not marked `Personal`; `name`, too, beside such a field. What is marked is encrypted with a key of that
person alone, in the store, in the outbox, in the broker and in every copy.

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

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.persons import declared, fields, marked, told
from shoal.check.rule import Rule
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
                names = options.names
                named = {getattr(field.target, "id", ""): field for field in fields(node)}
                if any(told(name, names) or marked(module, field.annotation) for name, field in named.items()):
                    names += BESIDE
                for name, field in named.items():
                    if told(name, names) and not marked(module, field.annotation):
                        yield Finding(
                            where=module.head(field),
                            message=f"{node.name}.{name} is {done} in clear",
                            help=f"{name}: Personal[{module.written(field.annotation)}]",
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
