"""What a run found, as data: written by ``--out``, read by ``shoal load compare``."""

import math
from collections.abc import Mapping

import msgspec

from shoal.errors import ShoalError

VERSION = 1
"""Of the document; another one is not read."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles in milliseconds; all 0 where nothing was measured."""

    count: int = 0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    max: float = 0.0
    histogram: str = ""
    """All of it: HdrHistogram V2, compressed, in Base64; microseconds."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the requests of one operation, of one journey, or of all."""

    name: str
    asked: float
    """Per second: requests that were due, or journeys that should have begun."""
    reached: float
    """Per second: requests that were answered, or journeys that began."""
    requests: int
    succeeded: int
    refused: Mapping[str, int]
    """429 and 503, by status and code."""
    failed: Mapping[str, int]
    """By kind."""
    cut: int
    """Under way when the run ended; nobody knows how they would have ended."""
    corrected: Latency
    """From when a request was due, of those that succeeded or were waited for in vain."""
    uncorrected: Latency
    """From when it was sent."""


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """How journeys of a name ended."""

    begun: int = 0
    finished: int = 0
    left: int = 0
    """By a refusal or failure."""
    cut: int = 0
    """By the end of the run."""
    broken: int = 0
    """By an error of the journey itself."""
    turned_away: int = 0
    """Not begun, since the generator had as many visitors as it may."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of refusal or failure of one operation."""

    operation: str
    kind: str
    count: int
    trace: str
    """Of the last one; for ``shoal why``."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    version: int = VERSION
    load: str
    target: str
    began: str
    """ISO 8601."""
    seconds: float
    """While visitors arrived."""
    elapsed: float
    """Until the last one was gone."""
    rate: float
    """Visitors per second, as asked for."""
    ramp: float
    seed: int
    doubts: tuple[str, ...]
    """Why the run is not valid: the generator itself could not keep up, or journeys are broken."""
    notes: tuple[str, ...]
    lateness: Latency
    """By how much the generator itself was late."""
    total: Row
    journeys: tuple[Row, ...]
    ends: Mapping[str, Ends]
    """By journey."""
    operations: tuple[Row, ...]
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether it says something about the system, and not about the generator."""
        return not self.doubts


def bad(row: Row) -> float:
    """Tell which part of the requests that ended was refused or failed."""
    count = sum(row.refused.values()) + sum(row.failed.values())
    ended = row.succeeded + count
    return count / ended if ended else 0.0


def exceeded(result: Result, *, p99: float, errors: float | None) -> tuple[str, ...]:
    """Say which bounds a run exceeds.

    Args:
        result: The run.
        p99: Seconds within which 99 of 100 requests must have been answered, from when they were due.
        errors: Part of the requests that may be refused or fail; None for any.
    """
    found = []
    if math.isfinite(p99) and not result.total.corrected.count:
        found.append(f"no request succeeded, so nothing is known of p99, which may be {p99 * 1e3:g} ms")
    if (taken := result.total.corrected.p99) > p99 * 1e3:
        found.append(f"p99 is {taken:.1f} ms, above {p99 * 1e3:g} ms")
    if errors is not None and (share := bad(result.total)) > errors:
        found.append(f"{share:.2%} of the requests were refused or failed, more than {errors:.2%}")
    return tuple(found)


def to_json(result: Result) -> bytes:
    """Write a result."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2)


def from_json(text: bytes, name: str) -> Result:
    """Read what `to_json` wrote, or raise `ShoalError` that names the file."""
    try:
        found = msgspec.json.decode(text, type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ShoalError(f"{name} is no result of a load: {error}", hint="write it with shoal load --out") from error
    if found.version != VERSION:
        raise ShoalError(f"{name} is of version {found.version}, not {VERSION}", hint="run the load again")
    return found
