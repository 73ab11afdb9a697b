"""Two runs compared, operation by operation: how often, how well, how fast, and which kinds of errors."""

from typing import Literal

import msgspec

from shoal.dashboard.store.reading import Database, Operation, operations

Change = Literal["new", "gone", "both"]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation did in one run."""

    count: int
    rate: float
    """Per second, over the whole run."""
    errors: float
    """Share from 0 to 1."""
    p50: float
    p99: float


class OperationChange(msgspec.Struct, frozen=True, kw_only=True):
    """One operation in both runs."""

    service: str
    name: str
    kind: str
    change: Change
    before: Side | None
    after: Side | None


class ErrorChange(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error in both runs, counted in the spans that are still on record."""

    service: str
    error: str
    """``error.type``, or the message where there is none."""
    change: Change
    before: int
    after: int


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs: new and gone operations first, then those whose 99th percentile has changed most."""

    operations: list[OperationChange]
    errors: list[ErrorChange]


def diff(before: Database, after: Database) -> Diff:
    """Compare two runs."""
    old, new = _operations(before), _operations(after)
    changes = [_change(key, old.get(key), new.get(key)) for key in old.keys() | new.keys()]
    changes.sort(key=lambda one: (one.change == "both", -_factor(one), one.service, one.name, one.kind))
    return Diff(operations=changes, errors=_errors(before, after))


def _operations(database: Database) -> dict[tuple[str, str, str], Operation]:
    return {(one.service, one.name, one.kind): one for one in operations(database).items}


def _change(key: tuple[str, str, str], old: Operation | None, new: Operation | None) -> OperationChange:
    service, name, kind = key
    change: Change = "new" if old is None else "gone" if new is None else "both"
    return OperationChange(service=service, name=name, kind=kind, change=change, before=_side(old), after=_side(new))


def _side(one: Operation | None) -> Side | None:
    if one is None:
        return None
    share = one.errors / one.count if one.count else 0.0
    return Side(count=one.count, rate=one.rate, errors=round(share, 6), p50=one.p50, p99=one.p99)


def _factor(one: OperationChange) -> float:
    """Say by how much the slowest requests became slower or faster."""
    if one.before is None or one.after is None or not one.before.p99 or not one.after.p99:
        return 0.0
    return max(one.after.p99 / one.before.p99, one.before.p99 / one.after.p99)


def _errors(before: Database, after: Database) -> list[ErrorChange]:
    old, new = _kinds(before), _kinds(after)
    found = []
    for service, error in sorted(old.keys() | new.keys()):
        was, is_now = old.get((service, error), 0), new.get((service, error), 0)
        change: Change = "new" if not was else "gone" if not is_now else "both"
        found.append(ErrorChange(service=service, error=error, change=change, before=was, after=is_now))
    return sorted(found, key=lambda one: (one.change == "both", one.service, one.error))


def _kinds(database: Database) -> dict[tuple[str, str], int]:
    """Count the kinds of errors of each service."""
    ask = (
        "SELECT o.service, s.detail FROM spans s INDEXED BY spans_bad JOIN operations o ON o.id = s.operation "
        "WHERE s.status = 2 LIMIT 200000"
    )
    found: dict[tuple[str, str], int] = {}
    for service, detail in database.ask(ask):
        attributes, _, _, message, _ = msgspec.json.decode(detail)
        error = str(attributes.get("error.type") or message or "unknown")[:200]
        found[service, error] = found.get((service, error), 0) + 1
    return found
