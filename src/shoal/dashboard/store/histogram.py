"""Counts of durations in buckets that grow by a twelfth: 12 to each doubling, so a quantile is at most 3 % off.

A bucket's number is the whole part of 12 × log2(microseconds); a histogram is a mapping of numbers to counts, and
adding two is adding their counts.
"""

import math
from collections.abc import Iterable, Mapping

Counts = dict[int, int]

PER_DOUBLING = 12


def bucket(microseconds: int) -> int:
    """Name the bucket of a duration; nothing is shorter than a microsecond."""
    return int(math.log2(microseconds) * PER_DOUBLING) if microseconds > 1 else 0


def middle(number: int) -> float:
    """Say for which duration a bucket stands, in microseconds: the geometric mean of its ends."""
    return math.exp2((number + 0.5) / PER_DOUBLING) if number else 1.0


def add(into: Counts, other: Mapping[int, int]) -> None:
    """Add the counts of another."""
    for number, count in other.items():
        into[number] = into.get(number, 0) + count


def merged(parts: Iterable[Mapping[int, int]]) -> Counts:
    """Add many."""
    whole: Counts = {}
    for part in parts:
        add(whole, part)
    return whole


def quantile(counts: Mapping[int, int], share: float) -> float:
    """Find the duration, in milliseconds, that `share` of all do not exceed; 0 where nothing was counted."""
    total = sum(counts.values())
    if not total:
        return 0.0
    wanted, seen = share * total, 0
    number = 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= wanted:
            break
    return middle(number) / 1000


def packed(counts: Mapping[int, int]) -> bytes:
    """Write as text that SQLite keeps and people can read: ``bucket:count`` in order."""
    return " ".join(f"{number}:{counts[number]}" for number in sorted(counts)).encode()


def unpacked(text: bytes) -> Counts:
    """Read what `packed` wrote."""
    return {int(number): int(count) for number, _, count in (pair.partition(b":") for pair in text.split())}
