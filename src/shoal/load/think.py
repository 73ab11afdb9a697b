"""How long people think before they go on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from shoal.errors import DeclarationError

LONGEST = 600.0
"""Seconds; who would think longer is drawn as if he thought so long."""


@dataclass(frozen=True, slots=True)
class Think:
    """A distribution of seconds."""

    text: str
    """How it was declared."""
    sample: Callable[[Random], float]

    def draw(self, random: Random) -> float:
        """Draw a time, in seconds."""
        return min(max(self.sample(random), 0.0), LONGEST)


def constant(seconds: float) -> Think:
    """Think for exactly so long, as a program does."""
    _require("constant", seconds)
    return Think(f"constant({seconds:g})", lambda _: seconds)


def uniform(least: float, most: float) -> Think:
    """Think for any time between two, each as likely."""
    _require("uniform", least)
    if most < least:
        raise DeclarationError(
            f"uniform({least:g}, {most:g}) ends before it begins", hint="write the shorter one first"
        )
    return Think(f"uniform({least:g}, {most:g})", lambda random: random.uniform(least, most))


def exponential(mean: float) -> Think:
    """Think as if interrupted at any moment with the same chance: mostly briefly, sometimes for long."""
    _require("exponential", mean, more=True)
    return Think(f"exponential({mean:g})", lambda random: random.expovariate(1 / mean))


def lognormal(median: float, spread: float = 0.8) -> Think:
    """Think as people read pages: half of them longer than `median`, few for very long.

    Args:
        median: Seconds.
        spread: Standard deviation of the logarithm; with 0.8 one of ten takes more than 2.8 times the median.
    """
    _require("lognormal", median, more=True)
    _require("lognormal", spread)
    return Think(f"lognormal({median:g}, {spread:g})", lambda random: random.lognormvariate(math.log(median), spread))


def _require(name: str, seconds: float, *, more: bool = False) -> None:
    if not math.isfinite(seconds) or seconds < 0 or (more and not seconds):
        least = "more than 0" if more else "0 or more"
        raise DeclarationError(f"{name}({seconds!r}) is no time to think", hint=f"use {least} seconds")
