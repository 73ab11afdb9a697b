"""Persons who leave a club while one point of the code does one thing after the other to whoever comes by."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from random import Random
from typing import Annotated, Any

import msgspec

from shoal import (
    Personal,
    Postgres,
    ReadModel,
    Service,
    System,
    Transaction,
    Unavailable,
    anyone,
    event,
    failpoints,
    personal,
    record,
)
from shoal.drivers.base import Query
from shoal.runtime.privacy.sealed import PREFIX
from shoal.runtime.privacy.tables import ERASED, KEYS
from shoal.testing.http import Response
from shoal.testing.simulation.domain import DOMAIN, Domain
from shoal.testing.simulation.faults import Fault, Faults
from shoal.testing.simulation.world import World

ACTIONS = ("exit", "unavailable")
"""What the point does, each to another who leaves."""

LEAVERS = tuple(f"leaver{number}" for number in range(len(ACTIONS) + 1))
PEOPLE = ("stayer", *LEAVERS)
AT_START = ("privacy.vault.Vault.open", "projections.fold.begin", "projections.journal.prepare")
"""Where a process comes by only when it starts."""

REST = 300.0
"""Virtual seconds in which everything must come to rest."""


@event("members.joined", key="member_id")
class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is a member now."""

    member_id: str
    name: Personal[str]


@event("members.left", key="member_id")
class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wishes to be forgotten."""

    member_id: str


@record("members", key="member_id")
class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member."""

    member_id: str
    name: Annotated[str, personal(unique=True)]


@record("readers", key="member_id")
class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's copy of a member, which stays."""

    member_id: str
    name: Annotated[str, personal(find=True)]


@record("letters", key="member_id")
class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A read model."""

    member_id: str
    name: Personal[str]


members = Service("members", store=Postgres(migrations="club_tables"), publishes=[Joined, Left])
desk = Service("desk", store=Postgres(migrations="club_tables"))
letters = desk.projection("letters", records=[Letter])


@members.put("/members/{id}", status=204, access=anyone)
async def join(id: str, tx: Transaction) -> None:
    """Join."""
    tx.put(Member(member_id=id, name=name_of(id)))
    tx.publish(Joined(member_id=id, name=name_of(id)))


@members.get("/members/{id}", access=anyone)
async def member(id: str, tx: Transaction) -> Member:
    """Show one."""
    return await tx.require(Member, id)


@members.delete("/members/{id}", status=204, access=anyone)
async def leave(id: str, tx: Transaction) -> None:
    """Forget one, here and wherever this is heard."""
    tx.delete(Member, id)
    await tx.forget(id)
    tx.publish(Left(member_id=id))


@desk.on(Joined)
async def remember(event: Joined, tx: Transaction) -> None:
    """Keep a copy."""
    tx.put(Reader(member_id=event.member_id, name=event.name))


@desk.on(Left)
async def forget(event: Left, tx: Transaction) -> None:
    """Forget one."""
    await tx.forget(event.member_id)


@letters.on(Joined)
async def write(event: Joined, records: ReadModel) -> None:
    """Fold."""
    records.put(Letter(member_id=event.member_id, name=event.name))


@desk.get("/readers/{id}", access=anyone)
async def reader(id: str, tx: Transaction) -> Reader:
    """Show a copy."""
    return await tx.require(Reader, id)


@desk.get("/letters/{id}", access=anyone)
async def letter(id: str, tx: Transaction) -> Letter:
    """Show one of the read model."""
    return await tx.require(Letter, id)


club = System("club", services=[members, desk])


def name_of(id: str) -> str:
    """Name a person."""
    return f"Name-Of-{id}"


class Leaving:
    """A `Scenario`: all join, all but one leave, one after the other; engines end, too.

    Args:
        point: Where things are done; empty to see which points there are.
    """

    declared = club

    def __init__(self, point: str = "") -> None:
        self._point, self._left = point, [*ACTIONS]
        self._world: World | None = None
        self._stack = ExitStack()
        self._leaving = False
        self.reached: set[str] = set()
        self.struck = 0

    def faults(self, seed: int, random: Random) -> Faults:
        """Let every engine end while people leave."""
        self._stack.enter_context(failpoints.armed(self._reach))
        ends = (("store-crash", "members", 3.1), ("store-crash", "desk", 3.6), ("broker-crash", "broker", 4.1))
        return Faults(
            schedule=tuple(Fault(at=at, kind=kind, target=target, seconds=0.3) for kind, target, at in ends)  # type: ignore[arg-type]
        )

    def replicas(self, random: Random) -> Mapping[str, int]:
        """Have one of the owner, and two of who holds copies."""
        return {"members": 1, "desk": 2}

    def overrides(self, world: World, domain: Domain) -> Mapping[Any, Any]:
        """Learn which world this is."""
        self._world = world
        return {}

    async def play(self, world: World) -> None:
        """Join, leave, and let everything come to rest."""
        for id_ in PEOPLE:
            await insist(lambda id_=id_: world.put(f"/members/{id_}"))  # type: ignore[misc]
            if id_ != LEAVERS[-1]:  # whose copies are still to be made
                await world.settle(within=REST)
        self._leaving = True
        for id_ in LEAVERS[::-1]:
            await insist(lambda id_=id_: world.delete(f"/members/{id_}"))  # type: ignore[misc]
            await asyncio.sleep(0.5)
        await world.calm()
        await world.settle(within=REST)
        await asyncio.sleep(5.0)  # read models follow

    async def check(self, world: World) -> Sequence[str]:
        """Say what does not hold."""
        self.disarm()
        found = []
        for path in ("members", "readers", "letters"):
            said = await world.get(f"/{path}/stayer")
            if said.status != 200 or said.json()["name"] != name_of("stayer"):
                found.append(f"/{path}/stayer: {said.status} {said.body!r}")
        for id_ in LEAVERS:
            found += [text for path in ("readers", "letters") if (text := await shown(world, f"/{path}/{id_}"))]
        for name, database in world.databases.items():
            found += [f"{name}: {text}" async for text in kept(database.memory)]
        held = repr([log.read(0, 1000) for log in world.broker._logs.values()])
        return [*found, *([f"a stream has {held}"] if "Name-Of" in held else [])]

    def disarm(self) -> None:
        """Let nothing happen any more."""
        self._stack.close()

    async def _reach(self, name: str) -> None:
        domain, world = DOMAIN.get(), self._world
        if not self._leaving and not name.startswith(AT_START):
            return
        self.reached.add(name)
        if name != self._point or not self._left or domain is None or world is None or world.chance.calm:
            return
        self.struck += 1
        if self._left.pop(0) == "exit":
            world.kill(domain.name, 0.5)
            await asyncio.Event().wait()
        raise Unavailable(f"the connection broke at {name}", hint="it was planted")


async def insist(ask: Callable[[], Awaitable[Response]]) -> None:
    """Repeat what may be repeated until it is done."""
    async with asyncio.timeout(REST):
        while (await ask()).status != 204:
            await asyncio.sleep(0.3)


async def shown(world: World, path: str) -> str:
    """Return what is still shown of a person."""
    said = await world.get(path)
    return "" if said.status == 404 or said.json().get("name") == "" else f"{path}: {said.body.decode()}"


async def kept(store: Any) -> AsyncIterator[str]:
    """Yield what a store should not hold any more, or should.

    A copy that another replica sealed with a key that it remembered may stay: nobody has the key.
    """
    async with store.session() as session:
        keys = {str(row["subject"]) for row in await session.find(KEYS.table, Query())}
        gone = {str(row["subject"]) for row in await session.find(ERASED.table, Query())}
    if keys != {"stayer"}:
        yield f"keys of {sorted(keys)}"
    if gone != {*LEAVERS}:
        yield f"reports of {sorted(gone)}"
    rows = [row for name in ("members", "readers", "letters") for row in store._state.tables.get(name, {}).values()]
    for row in rows:
        if row["member_id"] != "stayer" and row.get("name_find"):
            yield f"a hash: {row}"
        if not str(row["name"]).startswith(PREFIX):
            yield f"in the clear: {row}"
    if "Name-Of" in repr((store._state.tables, store._state.outbox, store._state.receipts)):
        yield "something in the clear"
