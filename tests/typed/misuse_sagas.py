"""Mistakes with sagas; each line that says so must be flagged."""

import msgspec

from shoal import Postgres, Saga, Service, Transaction, pivot, retriable, step
from tests.typed.contract import QuotesApi

travel = Service("travel", store=Postgres())


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """What the saga knows."""

    city: str


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """What another saga knows."""

    town: str


@travel.saga("sloppy")
class Sloppy(Saga[Trip]):
    """Mistakes within the class."""

    async def undo(self, state: Trip) -> None:
        """Undo a step."""

    async def undo_other(self, state: Other) -> None:
        """Undo a step of another saga."""

    @step(compensate=undo_other)  # expect-error
    async def of_another(self, state: Trip) -> None:
        """Undo with what takes another state."""

    @step(compensate=undo)  # expect-error
    def synchronous(self, state: Trip) -> None:
        """Forget that steps are asynchronous."""

    @step(compensate=undo)  # expect-error
    async def returning_another(self, state: Trip) -> Other:
        """Return what is not the state."""
        return Other(town=state.city)

    @retriable()  # expect-error
    async def returning_text(self, state: Trip) -> str:
        """Return what is not the state."""
        return state.city


@step()  # expect-error
async def without_compensation(self: Sloppy, state: Trip) -> None:
    """Say nothing of how it is undone."""


@step  # expect-error
async def without_brackets(self: Sloppy, state: Trip) -> None:
    """Say even less."""


@step(compensate="undo")  # expect-error
async def named(self: Sloppy, state: Trip) -> None:
    """Name the compensation."""


@step(Sloppy.undo)  # expect-error
async def by_place(self: Sloppy, state: Trip) -> None:
    """Give the compensation without its name."""


@step(compensate=None)  # expect-error
async def nothing(self: Sloppy, state: Trip) -> None:
    """Undo with nothing."""


@pivot  # expect-error
async def bare_pivot(self: Sloppy, state: Trip) -> None:
    """Forget the brackets."""


@pivot(compensate=Sloppy.undo)  # expect-error
async def undone_pivot(self: Sloppy, state: Trip) -> None:
    """Undo what is never undone."""


@retriable(attempts="many")  # expect-error
async def wordy(self: Sloppy, state: Trip) -> None:
    """Say a number in words."""


@travel.post("/trips")
async def begin(tx: Transaction, quotes: QuotesApi) -> None:
    """Begin sagas wrongly."""
    await tx.start(Sloppy, Other(town="Rome"))  # expect-error
    await tx.start(Sloppy, Trip(city="Rome"), "key")  # expect-error
    await tx.start(Trip, Trip(city="Rome"))  # expect-error
    tx.start(Sloppy, Trip(city="Rome"))  # expect-error
