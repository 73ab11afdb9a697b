"""A handler changes several services, and nothing undoes the first change when the second fails.

## What it does

Looks for handlers that call operations of two or more services with `POST`, `PUT`, `PATCH` or `DELETE`. Steps of sagas
are left alone, and so are operations whose handler is known to write nothing.

## Why

There is no transaction over services. When the second one refuses, is away, or the process ends in between, the first
change stays: a seat is held for a trip that nobody booked. A saga knows how far it has come, tries again what may
succeed later, and undoes what cannot be finished.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, internal, put


@contract("flights")
class FlightsApi(Protocol):
    @put("/seats/{flight}", access=internal)
    async def hold(self, flight: str) -> str: ...


@contract("hotels")
class HotelsApi(Protocol):
    @put("/rooms/{hotel}", access=internal)
    async def book(self, hotel: str) -> str: ...


flights, hotels, trips = Service("flights"), Service("hotels"), Service("trips")


@flights.implements(FlightsApi.hold)
async def hold(flight: str) -> str:
    \"\"\"Hold a seat.\"\"\"
    return f"seat {flight}"


@hotels.implements(HotelsApi.book)
async def book(hotel: str) -> str:
    \"\"\"Book a room.\"\"\"
    return f"room {hotel}"


@trips.post("/trips", access=anyone)
async def travel(flight: str, hotel: str, seats: FlightsApi, rooms: HotelsApi) -> str:
    \"\"\"Book a trip.\"\"\"
    seat = await seats.hold(flight)
    room = await rooms.book(hotel)  # <- SH204
    return f"{seat}, {room}"


system = System("travel", services=[flights, hotels, trips])
```

## Good

```python
from typing import Protocol

import msgspec

from shoal import Postgres, Saga, Service, System, Transaction, anyone, contract, delete, internal, put
from shoal import retriable, step


@contract("flights")
class FlightsApi(Protocol):
    @put("/seats/{flight}", access=internal)
    async def hold(self, flight: str) -> str: ...

    @delete("/seats/{flight}", access=internal)
    async def release(self, flight: str) -> None: ...


@contract("hotels")
class HotelsApi(Protocol):
    @put("/rooms/{hotel}", access=internal)
    async def book(self, hotel: str) -> str: ...


class Trip(msgspec.Struct, frozen=True):
    flight: str
    hotel: str


flights, hotels = Service("flights"), Service("hotels")
trips = Service("trips", store=Postgres(migrations=""))


@trips.saga("book-trip")
class BookTrip(Saga[Trip]):
    async def release(self, state: Trip, seats: FlightsApi) -> None:
        await seats.release(state.flight)

    @step(compensate=release)
    async def hold(self, state: Trip, seats: FlightsApi) -> None:
        await seats.hold(state.flight)

    @retriable()
    async def book(self, state: Trip, rooms: HotelsApi) -> None:
        await rooms.book(state.hotel)


@flights.implements(FlightsApi.hold)
async def hold(flight: str) -> str:
    \"\"\"Hold a seat.\"\"\"
    return f"seat {flight}"


@flights.implements(FlightsApi.release)
async def release(flight: str) -> None:
    \"\"\"Let go of a seat.\"\"\"


@hotels.implements(HotelsApi.book)
async def book(hotel: str) -> str:
    \"\"\"Book a room.\"\"\"
    return f"room {hotel}"


@trips.post("/trips", access=anyone)
async def travel(trip: Trip, tx: Transaction) -> None:
    \"\"\"Begin to book a trip.\"\"\"
    await tx.start(BookTrip, trip)


system = System("travel", services=[flights, hotels, trips])
```
"""

from collections.abc import Iterator

from shoal.check.effects import changing
from shoal.check.finding import Finding, Note
from shoal.check.graph import Handler, Site
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find handlers that change several services at once."""
    for handler, sites in subject.graph.sites.items():
        changes = [site for site in sites if site.certain and handler.kind != "step" and changing(subject, site)]
        first = changes[0] if changes else None
        other = next((site for site in changes if first and site.call.service != first.call.service), None)
        if first and other:
            yield _finding(handler, first, other, changes)


def _finding(handler: Handler, first: Site, other: Site, changes: list[Site]) -> Finding:
    services = dict.fromkeys(site.call.service for site in changes)
    return Finding(
        where=other.where,
        message=f"{handler} changes {len(services)} services, and nothing undoes {first.callee}"
        f" when {other.callee} fails",
        impact="the first change stays when the second is refused, times out, or the process ends in between",
        notes=(Note(first.where, f"{first.callee} has changed {first.call.service} by then"),),
        help="make steps of the calls: a Saga with @step(compensate=...), begun with tx.start(...)",
    )


RULE = Rule(
    code="SH204",
    name="saga-missing",
    severity="warning",
    summary="a handler changes several services, and nothing undoes the first change when the second fails",
    page=__doc__,
    find=find,
    answers=("Ignoring data consistency",),
    needs=frozenset({"source"}),
)
