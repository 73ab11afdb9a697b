"""What is declared: journeys, who makes them, and what they are told beforehand."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import Any, Generic, TypeVar

import msgspec

from shoal.errors import DeclarationError
from shoal.load.think import Think, lognormal
from shoal.load.visitor import Visitor

T = TypeVar("T")

_THINKING = lognormal(2.0)


class Persona(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in from the first request on, with a token as ``shoal token`` makes it."""

    subject: str
    roles: tuple[str, ...] = ()
    claims: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        """Refuse nobody."""
        if not self.subject:
            raise DeclarationError("a persona has no subject", hint="name it: Persona(subject='staff')")


class Journey(Generic[T]):
    """Declare one way of using the system.

    Args:
        name: As it stands in reports.
        run: What a visitor does. It ends when it returns, or by `Left` when a request is refused or fails.
        weight: How often it is begun, compared with the others.
        think: How long a visitor thinks by ``visitor.think()``.
        persona: Who makes it; anonymous when None, until the visitor signs in.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Visitor[T]], Awaitable[None]],
        *,
        weight: float = 1.0,
        think: Think = _THINKING,
        persona: Persona | None = None,
    ) -> None:
        if not name or not math.isfinite(weight) or weight <= 0:
            raise DeclarationError(
                f"Journey({name!r}, weight={weight!r}) has no name, or would never be begun",
                hint="give it a name and a weight above 0",
            )
        self.name, self.run, self.weight, self.think, self.persona = name, run, weight, think, persona


class Load(Generic[T]):
    """Declare the traffic of a system.

    Args:
        journeys: Every way of using it.
        prepare: Asks the running system, once and unmeasured, for what journeys need to know; visitors have what it
            returns as their `data`.
    """

    def __init__(
        self,
        journeys: Sequence[Journey[T]],
        *,
        prepare: Callable[[Visitor[None]], Awaitable[T]] | None = None,
    ) -> None:
        names = [journey.name for journey in journeys]
        if not names or len(set(names)) < len(names):
            raise DeclarationError(
                f"a load has the journeys {', '.join(names) or 'of nobody'}",
                hint="declare at least one, each name once",
            )
        self.journeys, self.prepare = tuple(journeys), prepare

    def choose(self, random: Random) -> Journey[T]:
        """Draw a journey by the weights."""
        return random.choices(self.journeys, [journey.weight for journey in self.journeys])[0]

    def share(self, journey: Journey[T]) -> float:
        """Tell which part of all journeys are this one."""
        return journey.weight / sum(other.weight for other in self.journeys)
