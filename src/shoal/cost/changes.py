"""What a change of the system or of its settings costs: an earlier bill against this one. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.estimate import Estimate, added, cents
from shoal.cost.render import SHARED


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of something before and now; None where it was not there, or had no known price."""

    service: str
    component: str
    before: Decimal | None
    now: Decimal | None

    @property
    def more(self) -> Decimal:
        """How much more it is."""
        return (self.now or Decimal(0)) - (self.before or Decimal(0))


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """All that changed since something."""

    since: str
    """What it is compared with: a revision, or a file."""
    before: Decimal
    now: Decimal
    services: tuple[Change, ...]
    components: tuple[Change, ...]


def changes(since: str, earlier: Any, found: Estimate) -> Changes:
    """Compare with an earlier estimate.

    Args:
        since: What it is called.
        earlier: What `shoal cost -o json` wrote.
        found: The present one.

    Raises:
        ValueError: It is none.
    """
    try:
        then = {name: one["total"]["expected"] for name, one in earlier.get("services", {}).items()}
        lines = dict(_lines(earlier))
        before = _amount(earlier["total"]["expected"])
        services = {(name, ""): _amount(one) for name, one in then.items()}
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"that is no estimate: {error}") from error
    now = {(service or SHARED, ""): added(found.of(service)).expected for service in found.services}
    each = {
        (service or SHARED, line.item.component): line.cost.expected if line.cost is not None else None
        for service in found.services
        for line in found.of(service)
    }
    return Changes(
        since=since,
        before=before,
        now=found.total.expected,
        services=tuple(_changed(services, now)),
        components=tuple(_changed(lines, each)),
    )


def told(found: Changes) -> Iterator[str]:
    """Say by service what changed, and then the whole."""
    for one in found.services:
        yield f"{one.service}: {_money(one.before)} before, {_money(one.now)} now ({one.more:+,})"
    yield f"total: {found.before:,} before, {found.now:,} now ({found.now - found.before:+,})"


def markdown(found: Changes, whole: str) -> str:
    """Write what a pull request should show: the sum, what changed, and the whole bill folded away."""
    more = found.now - found.before
    share = f", {more / found.before * 100:+.1f} %" if found.before else ""
    lines = [
        f"### Expected a month: {found.now:,} ({more:+,}{share} against {found.since})",
        "",
    ]
    if found.components:
        lines += ["| SERVICE | COMPONENT | BEFORE | NOW | MORE |", "|---|---|---:|---:|---:|"]
        lines += [
            f"| {one.service} | {one.component} | {_money(one.before)} | {_money(one.now)} | {one.more:+,} |"
            for one in found.components
        ]
    else:
        lines.append("Nothing that is priced changed.")
    folded = ["<details><summary>The whole bill</summary>", "", whole.rstrip(), "", "</details>"]
    return "\n".join([*lines, "", *folded]) + "\n"


def document(found: Changes) -> dict[str, Any]:
    """Write it as data."""
    return {
        "before": str(cents(found.before)),
        "now": str(cents(found.now)),
        "components": [
            {
                "service": one.service,
                "component": one.component,
                "before": None if one.before is None else str(one.before),
                "now": None if one.now is None else str(one.now),
            }
            for one in found.components
        ],
    }


def _lines(earlier: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Decimal | None]]:
    for service, one in earlier.get("services", {}).items():
        for line in one.get("lines", ()):
            cost = line["cost"]
            yield (service, line["component"]), _amount(cost["expected"]) if cost is not None else None


def _amount(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite():
        raise TypeError(f"{text} is no amount")
    return found


def _changed(
    before: Mapping[tuple[str, str], Decimal | None], now: Mapping[tuple[str, str], Decimal | None]
) -> Iterator[Change]:
    for key in sorted({*before, *now}):
        then, since = before.get(key), now.get(key)
        if then != since or (key in before) != (key in now):
            yield Change(service=key[0], component=key[1], before=then, now=since)


def _money(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:,}"
