"""Whose a resource is: rules about a principal and a thing, which only the service that holds the thing can judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shoal.errors import Problem
from shoal.service.context import Principal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """Says who may have a thing; whoever may not learns no more than that there is none."""

    allows: Callable[[T, Principal], bool]
    what: str
    """What it is about, for the message: ``order``."""

    def require(self, thing: T | None, principal: Principal) -> T:
        """Return the thing, or answer 404: that of somebody else is as unknown as one that never was.

        Only a rule that says True allows.
        """
        if thing is None or self.allows(thing, principal) is not True:
            raise Problem(404, "not-found", f"there is no such {self.what}")
        return thing

    def __or__(self, other: "Rule[T]") -> "Rule[T]":
        """Allow what one of two rules allows."""
        return Rule(lambda thing, principal: self.allows(thing, principal) or other.allows(thing, principal), self.what)


def rule(what: str, allows: Callable[[T, Principal], bool]) -> Rule[T]:
    """Make a rule out of a function of a thing and a principal."""
    return Rule(allows, what)


def owner(what: str, of: Callable[[T], str]) -> Rule[T]:
    """Make the rule that a thing is for its owner only.

    Args:
        what: What it is about, for the message.
        of: Reads the subject of the owner; an empty one is nobody.
    """

    def allows(thing: T, principal: Principal) -> bool:
        subject = of(thing)
        return bool(subject) and subject == principal.subject

    return Rule(allows, what)
