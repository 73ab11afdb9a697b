"""What changed between the locked contracts and the declared system."""

from shoal.model.compatibility import Clash, Direction, Kind
from shoal.model.data import Data
from shoal.model.system import System

OUTSIDE = "clients outside"
"""Whoever calls through the gateway."""


class Change(Data, frozen=True, kw_only=True):
    """One difference between a contract's file and its declaration."""

    contract: str
    """``orders.placed.v1`` or ``POST /orders``."""
    service: str
    file: str
    """The contract's file, relative to the folder of contracts."""
    breaking: bool
    rule: str
    """Stable name of the rule, such as ``field-removed``."""
    path: str = ""
    """Where within the contract: ``$.lines[].sku``, ``answer $.total``, ``parameter page``."""
    message: str
    old: str = ""
    new: str = ""
    where: str = ""
    """``file:line`` of the declaration that caused it."""
    breaks: tuple[str, ...] = ()
    """Who relies on the contract."""


WORDS: dict[Kind, tuple[str, str]] = {
    "field-removed": ("the field is gone", "the field is no longer accepted"),
    "field-required": ("the field must be there", "the field must be sent now"),
    "field-optional": ("the field may be missing now", "the field may be missing"),
    "field-unknown": ("readers refuse fields that they do not know", "unknown fields are refused now"),
    "type": ("values of another type may come", "values of some type are refused now"),
    "value": ("values that were unknown may come", "some values are refused now"),
    "bound": ("values beyond the bounds may come", "the bounds are tighter"),
    "rule": ("a rule is no longer kept", "a further rule must be kept"),
}
"""What a clash means where we send, and where we receive."""


def words(clash: Clash, direction: Direction) -> str:
    """Say what a clash means."""
    return WORDS[clash.kind][direction == "received"]


def subscribers(system: System, event: str) -> tuple[str, ...]:
    """Name the handlers that an event of this id reaches."""
    return tuple(
        f"{service.name}.{s.handler} ({s.source})"
        for service in system.services
        for s in service.subscriptions
        if event in s.heard
    )


def callers(system: System, service: str, endpoint: str) -> tuple[str, ...]:
    """Name the services that call an operation."""
    return tuple(
        f"{other.name} ({call.source})"
        for other in system.services
        for call in other.calls
        if (call.service, call.endpoint) == (service, endpoint)
    )
