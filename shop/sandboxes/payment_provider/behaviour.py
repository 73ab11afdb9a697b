"""How the sandbox misbehaves: pure, and the same each time for the same key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card does by itself."""

    decline_code: str = ""
    """Why it is declined; empty when it is not."""
    delay_ms: int = 0
    """How long a charge takes."""
    failures: int = 0
    """How many requests under a key fail before one is tried."""
    loses_answer: bool = False
    """Whether the connection breaks after the charge, before its answer."""


CARDS: Mapping[str, Card] = {
    "tok_visa": Card(),
    "tok_mastercard": Card(),
    "pm_card_visa": Card(),
    "tok_declined": Card(decline_code="generic_decline"),
    "tok_insufficient_funds": Card(decline_code="insufficient_funds"),
    "tok_slow": Card(delay_ms=1500),
    "tok_flaky_then_ok": Card(failures=2),
    "tok_lost_answer": Card(loses_answer=True),
    # Stripe's own names, so that a script also runs against Stripe's test mode:
    "tok_chargeDeclined": Card(decline_code="generic_decline"),
    "tok_chargeDeclinedInsufficientFunds": Card(decline_code="insufficient_funds"),
    "pm_card_chargeDeclined": Card(decline_code="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Card(decline_code="insufficient_funds"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens to every request, whatever the card."""

    decline_rate: float = 0.0
    """Share of charges that are declined."""
    delay_ms: int = 0
    """How long an effect takes; a client may give up meanwhile, and it happens all the same."""
    fail_rate: float = 0.0
    """Share of requests that are answered 503 before anything happens."""
    fail_after_commit: bool = False
    """Whether the connection breaks after each effect, before its answer. A repetition gets the answer."""


class Malformed(ValueError):
    """A behaviour is not what it should be; the text says why."""


def parse(document: object) -> Behaviour:
    """Read a behaviour from JSON; what it leaves out is as it should be."""
    if not isinstance(document, dict):
        raise Malformed("a behaviour is an object")
    known = {field.name: field.default for field in fields(Behaviour)}
    for name, value in document.items():
        if name not in known:
            raise Malformed(f"there is no {name!r}; there are: {', '.join(known)}")
        _check(name, value)
    return Behaviour(**document)


def strikes(rate: float, *marks: object) -> bool:
    """Decide by lot, always the same for the same marks."""
    digest = hashlib.sha256("\0".join(map(str, marks)).encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64


def _check(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "fail_after_commit":
        fits = isinstance(value, bool)
    elif name == "delay_ms":
        fits = isinstance(value, int) and is_number and 0 <= value <= 60_000
    else:
        fits = is_number and 0 <= value <= 1
    if not fits:
        raise Malformed(f"{name} cannot be {value!r}")
