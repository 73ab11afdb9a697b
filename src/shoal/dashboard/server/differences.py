"""What is more frequent among some traces than among others; pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from shoal.dashboard.store.reading import Trace

MOST = 40
"""Features that are told."""

_LONGEST, _VALUES = 80, 50
"""Characters of a value that is compared, and values of one attribute: more are identifiers, which say nothing."""

_IDENTIFIERS = ("messaging.message.id", "messaging.message.conversation_id", "shoal.saga.id", "url.path")


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one attribute, and how many traces of each side have it."""

    key: str
    value: str
    selected: int
    others: int
    difference: float
    """Share of the selected minus share of the others, from -1 to 1."""


def features_of(trace: Trace) -> frozenset[tuple[str, str]]:
    """List what is true of a trace: its operations, replicas, errors, and the attributes of its spans."""
    found: set[tuple[str, str]] = set()
    for span in trace.spans:
        found.add(("operation", f"{span.service} {span.name}"))
        found.add(("replica", span.replica))
        if span.status == "error":
            found.add(("error in", f"{span.service} {span.name}"))
        for key, value in span.attributes.items():
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            if len(text) <= _LONGEST and key not in _IDENTIFIERS:
                found.add((key, text))
    return frozenset(found)


def differences(
    selected: Sequence[frozenset[tuple[str, str]]], others: Sequence[frozenset[tuple[str, str]]]
) -> list[Feature]:
    """Rank features by how much more, or less, frequent they are among the selected."""
    ours, theirs = Counter(_all(selected)), Counter(_all(others))
    values = Counter(key for key, _ in ours.keys() | theirs.keys())
    found = [
        Feature(
            key=key, value=value, selected=ours[key, value], others=theirs[key, value],
            difference=round(_share(ours[key, value], selected) - _share(theirs[key, value], others), 4),
        )
        for key, value in ours.keys() | theirs.keys()
        if values[key] <= _VALUES
    ]  # fmt: skip
    found = [feature for feature in found if abs(feature.difference) >= 0.01]
    found.sort(key=lambda feature: (-abs(feature.difference), -feature.difference, feature.key, feature.value))
    return found[:MOST]


def _all(side: Iterable[frozenset[tuple[str, str]]]) -> Iterable[tuple[str, str]]:
    return (feature for trace in side for feature in trace)


def _share(count: int, side: Sequence[object]) -> float:
    return count / len(side) if side else 0.0
