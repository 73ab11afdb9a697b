"""What is advised, with the evidence and the effect. Pure data."""

from typing import Literal

import msgspec

Verdict = Literal["one process", "services", "balanced", "unknown"]

Side = Literal["services", "one process"]
"""What a criterion speaks for when it is met."""


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One question, the number that answers it, and the number at which the answer turns."""

    name: str
    asks: str
    """When it is met, in words: ``at least 50 people``."""
    found: str
    """The number that was found; empty where nobody knows."""
    met: bool | None
    """None where nobody knows."""
    side: Side = "services"
    need: str = ""
    """What it takes to know."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What would change: each with its formula and where its numbers are from."""

    latency: str
    availability: str
    cost: str


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one process would do for all of it."""

    verdict: Verdict
    says: str
    criteria: tuple[Criterion, ...]
    effect: Effect
    """Of one process for all."""


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two services, of which one calls the other."""

    caller: str
    callee: str
    verdict: Literal["merge", "apart", "unknown"]
    criteria: tuple[Criterion, ...]
    effect: Effect
    where: str = ""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A service that falls into parts by its data."""

    service: str
    verdict: Literal["split", "whole", "unknown"]
    parts: tuple[str, ...]
    """Each as its handlers and what they keep."""
    criteria: tuple[Criterion, ...]
    effect: Effect


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one system."""

    system: str
    whole: Whole
    merges: tuple[Merge, ...]
    """Every pair that calls, those to merge first."""
    splits: tuple[Split, ...]
    """Every service that falls into parts by its data."""
    told: tuple[str, ...]
    """What the evidence is, and what is missing."""
