"""Personal fields are of their own type to handlers and type checkers."""

from typing import Annotated

import msgspec

from shoal import Personal, Postgres, Service, Transaction, personal, record


@record("people", key="person_id")
class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    person_id: str
    name: Personal[str]
    born: Personal[int | None] = None
    email: Annotated[str, personal(unique=True, spelled=str.casefold)]


people = Service("people", store=Postgres())


@people.get("/people/{person_id}")
async def show(person_id: str, tx: Transaction) -> str:
    """Show a name."""
    found = await tx.require(Person, person_id)
    year: int = 0 if found.born is None else found.born
    return f"{found.name.upper()} {found.email.casefold()} {year}"
