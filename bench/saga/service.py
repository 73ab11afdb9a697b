"""The saga, as an author of Shoal writes it: three steps that each write one row, each with its compensation."""

from secrets import token_hex

import msgspec

from shoal import Postgres, Saga, Service, Transaction, anyone, record, step


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """What the saga knows."""

    number: str
    done: tuple[str, ...] = ()


@record("work", key="id")
class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a step has done."""

    id: str
    saga: str
    step: str


trips = Service("trips", store=Postgres(migrations="tables"))


@trips.saga("trip")
class BookTrip(Saga[Trip]):
    """Three bookings, or none."""

    async def cancel_flight(self, state: Trip, tx: Transaction) -> None:
        """Undo the first."""
        tx.delete(Work, f"{state.number}-flight")

    @step(compensate=cancel_flight)
    async def book_flight(self, state: Trip, tx: Transaction) -> Trip:
        """Do the first."""
        return _book(state, tx, "flight")

    async def cancel_room(self, state: Trip, tx: Transaction) -> None:
        """Undo the second."""
        tx.delete(Work, f"{state.number}-room")

    @step(compensate=cancel_room)
    async def book_room(self, state: Trip, tx: Transaction) -> Trip:
        """Do the second."""
        return _book(state, tx, "room")

    async def cancel_car(self, state: Trip, tx: Transaction) -> None:
        """Undo the third."""
        tx.delete(Work, f"{state.number}-car")

    @step(compensate=cancel_car)
    async def book_car(self, state: Trip, tx: Transaction) -> Trip:
        """Do the third."""
        return _book(state, tx, "car")


def _book(state: Trip, tx: Transaction, what: str) -> Trip:
    tx.insert(Work(id=f"{state.number}-{what}", saga=state.number, step=what))
    return Trip(number=state.number, done=(*state.done, what))


@trips.post("/trips/{key}", access=anyone, status=202)
async def begin(key: str, tx: Transaction) -> str:
    """Begin a trip, and answer with its number."""
    number = token_hex(16)
    await tx.start(BookTrip, Trip(number=number), key=key)
    return number
