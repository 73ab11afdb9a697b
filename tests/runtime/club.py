"""Two services with personal data: one has members and announces them, the other writes to them."""

from typing import Annotated

import msgspec

from shoal import (
    Issuer,
    Personal,
    Postgres,
    ReadModel,
    Service,
    System,
    Transaction,
    Unavailable,
    anyone,
    event,
    personal,
    record,
)


@event("members.joined", key="member_id")
class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is a member now."""

    member_id: str
    email: Personal[str]
    friend_id: str
    greeting: Annotated[str | None, personal(of="friend_id")] = None


@record("members", key="member_id")
class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member."""

    member_id: str
    email: Annotated[str, personal(unique=True, spelled=str.casefold)]
    age: Annotated[int | None, personal()] = None
    name: Annotated[str, personal(erased="nobody")] = "Ada"


@record("readers", key="member_id")
class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to write to."""

    member_id: str
    email: Personal[str]


@record("letters", key="member_id")
class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A read model."""

    member_id: str
    email: Personal[str]


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to join."""

    id: str
    email: str
    fail: bool = False


tried: set[str] = set()
"""Who could not be reached once."""

members = Service("members", store=Postgres(migrations="club_tables"), publishes=[Joined])
desk = Service("desk", store=Postgres(migrations="club_tables"))
letters = desk.projection("letters", records=[Letter])


@letters.on(Joined)
async def write(event: Joined, records: ReadModel) -> None:
    """Fold."""
    records.put(Letter(member_id=event.member_id, email=event.email))


@members.post("/members", access=anyone)
async def join(body: Join, tx: Transaction) -> None:
    """Join; or fail after all was written."""
    tx.insert(Member(member_id=body.id, email=body.email, age=36))
    tx.publish(Joined(member_id=body.id, email=body.email, friend_id="m0", greeting="a dear friend"))
    await tx.flush()
    if body.fail:
        raise ValueError("it is not to be")


@members.put("/members/{id}", idempotent=True)
async def move(id: str, body: Join, tx: Transaction) -> Join:
    """Change an address."""
    tx.put(Member(member_id=id, email=body.email))
    return body


@members.get("/members", access=anyone)
async def find(email: str, tx: Transaction) -> list[Member]:
    """Find by address."""
    return await tx.find(Member, {"email": email})


@members.get("/members/{id}", access=anyone)
async def member(id: str, tx: Transaction) -> Member:
    """Show one."""
    return await tx.require(Member, id)


@desk.on(Joined, attempts=1)
async def remember(event: Joined, tx: Transaction) -> None:
    """Keep a copy."""
    if event.email == "poison@example.org":
        raise ValueError(f"no letter to {event.email}")
    if event.email == "away@example.org" and event.member_id not in tried:
        tried.add(event.member_id)
        raise Unavailable(f"{event.email} cannot be reached")
    tx.put(Reader(member_id=event.member_id, email=event.email))


@desk.get("/readers/{id}", access=anyone)
async def reader(id: str, tx: Transaction) -> Reader:
    """Show one."""
    return await tx.require(Reader, id)


@desk.get("/letters/{id}", access=anyone)
async def letter(id: str, tx: Transaction) -> Letter:
    """Show one of the read model."""
    return await tx.require(Letter, id)


club = System("club", services=[members, desk], issuer=Issuer(members, audience="club"))
