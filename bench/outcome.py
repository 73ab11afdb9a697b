"""What one benchmark returns, and where raw rows are kept."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.machine import processor
from bench.report import Section
from bench.rounds import Say

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int | None = None
    """Replaces each benchmark's own number."""
    quick: bool = False
    """Enough to see that it works; resolves nothing."""

    def choose(self, rounds: int) -> int:
        """Return the rounds of a benchmark that wants `rounds`."""
        return self.rounds or (3 if self.quick else rounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A section of the page, and every row it was computed from."""

    section: Section
    rows: Mapping[str, Sequence[Any]]


Bench = Callable[[Effort, Say], Coroutine[Any, Any, Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A section as it is kept between runs."""

    when: str
    section: Section
    processor: str = ""
    """Of the machine on which it was measured."""


def keep(outcome: Outcome) -> None:
    """Write a benchmark's section and raw rows to files of their own.

    Sections are committed: what is not measured again stays on the page with its day.
    """
    RESULTS.mkdir(exist_ok=True)
    stamp = time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC"
    name = outcome.section.id
    (RESULTS / f"{name}.json").write_bytes(_readable(Kept(when=stamp, section=outcome.section, processor=processor())))
    (RESULTS / f"{name}-rows.json").write_bytes(msgspec.json.encode(outcome.rows))


def _readable(result: Kept) -> bytes:
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def kept(name: str) -> Kept | None:
    """Read a section that an earlier run has kept."""
    file = RESULTS / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=Kept) if file.exists() else None
