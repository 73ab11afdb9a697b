"""Estimates for people and programs: a table, JSON, Markdown, a page. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost import chart, page
from shoal.cost.bill import Bill
from shoal.cost.estimate import Estimate, Line, added, cents, of_one_more, per_thousand
from shoal.cost.groups import GROUPS, group_of
from shoal.cost.prices import regions
from shoal.cost.tips import Tip
from shoal.cost.usage import Range

HEADERS = ("SERVICE", "COMPONENT", "AMOUNT", "UNIT", "PRICE", "LOW", "EXPECTED", "HIGH")
OPERATIONS = ("OPERATION", "A THOUSAND MORE")
UNKNOWN = "unknown"
SHARED = "(all)"
"""What is said where all services share something."""


def rows(estimate: Estimate) -> list[list[str]]:
    """Write the rows of a table: for each service its components, then its sum; in the end the whole."""
    found: list[list[str]] = []
    for service in estimate.services:
        lines = estimate.of(service)
        found += [[service or SHARED, *_line(line)] for line in lines]
        found.append([service or SHARED, *_sum(lines, "sum")])
    found.append(["total", *_sum(estimate.lines, estimate.table.currency)])
    return found


def _sum(lines: Sequence[Line], name: str) -> list[str]:
    """Write a sum, and whether something in it is unknown; of nothing that is known there is no sum."""
    unknown = sum(line.cost is None for line in lines)
    told = f"{name}, without what is unknown" if unknown else name
    return [told, "", "", "", *(amounts(added(lines)) if unknown < len(lines) else [UNKNOWN] * 3)]


def markdown(found: Bill) -> str:
    """Write a page in Markdown."""
    lines = [*_table(HEADERS, rows(found.estimate)), ""]
    if found.operations:
        costs = [[name, str(small(cost))] for name, cost in found.operations.items()]
        lines += [*_table(OPERATIONS, costs), ""]
    lines += [f"- {note}" for note in [*notes(found.estimate, found.requests), *found.told, *advice(found.tips)]]
    return "\n".join(lines) + "\n"


def html(found: Bill) -> str:
    """Write a page with a chart of services, that needs nothing beside it."""
    title, estimate = "What it costs a month", found.estimate
    bars = [
        chart.Bar(
            name=service or SHARED,
            parts=tuple(_groups(estimate.of(service))),
            total=added(estimate.of(service)),
            partial=any(line.cost is None for line in estimate.of(service)),
        )
        for service in estimate.services
    ]
    sections = [page.figure(chart.drawn(title, bars, GROUPS), chart.legend(GROUPS))]
    sections.append(page.table("Line by line", HEADERS, rows(estimate), numbers=3))
    if found.operations:
        costs = [[name, str(small(cost))] for name, cost in found.operations.items()]
        sections.append(page.table("Operations", OPERATIONS, costs, numbers=1))
    return page.page(title, sections, [*notes(estimate, found.requests), *found.told, *advice(found.tips)])


def document(found: Bill) -> dict[str, Any]:
    """Write everything as data; amounts are text, so that none is rounded on its way."""
    estimate = found.estimate
    thousand, more = per_thousand(estimate, found.requests), of_one_more(estimate, found.requests)
    return {
        "provider": estimate.table.provider,
        "region": estimate.table.region,
        "prices_of": estimate.table.date,
        "currency": estimate.table.currency,
        "total": data(estimate.total),
        "per_thousand_requests": None if thousand is None else str(small(thousand)),
        "per_thousand_more_requests": None if more is None else str(small(more)),
        "unknown": sorted({line.item.price for line in estimate.unknown}),
        "services": {
            service or SHARED: {
                "total": data(added(estimate.of(service))),
                "lines": [entry(line) for line in estimate.of(service)],
            }
            for service in estimate.services
        },
        "endpoints": {name: str(small(cost)) for name, cost in found.operations.items()},
        "tips": [_tip(one) for one in found.tips],
        "usage": msgspec.to_builtins(found.usage),
        "told": list(found.told),
        "sources": {
            name: where for table in (*estimate.others, estimate.table) for name, where in table.sources.items()
        },
    }


def advice(found: Iterable[Tip]) -> Iterator[str]:
    """Say what could be saved, and what is given up."""
    for tip in found:
        saves = f"could save {tip.saves:,}" if tip.saves is not None else f"could save something ({tip.why})"
        yield f"{saves}: {tip.advice}; but {tip.but}"


def notes(estimate: Estimate, requests: Range) -> Iterator[str]:
    """Say of which day the prices are, what requests cost, and what nobody knows."""
    table = estimate.table
    if table.date:
        yield f"prices of {table.provider} in {table.region}, {table.currency}, {table.date}; no taxes, no discounts"
    else:
        known = ", ".join(regions(table.provider)) or "other clouds"
        yield f"no price of {table.provider} in {table.region} is known here; there are tables of {known}"
    for other in estimate.others:
        said = f"at its prices of {other.date}" if other.date else "of which no price is known here"
        yield f"what stands by is billed in {other.region}, {said}"
    thousand, more = per_thousand(estimate, requests), of_one_more(estimate, requests)
    least = "at least " if estimate.unknown else ""
    if thousand is not None:
        yield f"a thousand requests cost {least}{small(thousand)}, everything included"
    if more is not None:
        yield f"a thousand more requests cost {least}{small(more)}"
    missing = sorted({line.item.price for line in estimate.unknown})
    if missing:
        yield f"not in any sum, because their prices are unknown: {', '.join(missing)}"


def _tip(one: Tip) -> dict[str, str | None]:
    """Write advice as data."""
    saves = None if one.saves is None else str(one.saves)
    return {"advice": one.advice, "saves": saves, "but": one.but, "why": one.why or None}


def _groups(lines: Sequence[Line]) -> Iterator[tuple[str, Decimal]]:
    for group in GROUPS:
        yield group, added([line for line in lines if group_of(line.item.price) == group]).expected


def _table(headers: Sequence[str], found: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(headers)} |", f"|{'---|' * len(headers)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in found)]


def small(amount: Decimal) -> Decimal:
    """Round to a hundredth of a cent."""
    return amount.quantize(Decimal("0.0001"))


def _line(line: Line) -> list[str]:
    price = line.price
    unit, each = (price.unit, str(price.amount)) if price is not None else (line.item.price, UNKNOWN)
    costs = amounts(line.cost) if line.cost is not None else [UNKNOWN] * 3
    return [line.item.component, _amount(line.item.amount.expected), unit, each, *costs]


def amounts(found: Range) -> list[str]:
    """Write low, expected and high to the cent."""
    return [f"{cents(one):,}" for one in (found.low, found.expected, found.high)]


def _amount(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.001')).normalize():,f}"


def data(found: Range) -> dict[str, str]:
    """Write low, expected and high as text."""
    return {"low": str(cents(found.low)), "expected": str(cents(found.expected)), "high": str(cents(found.high))}


def entry(line: Line) -> dict[str, Any]:
    """Write a line as data."""
    amount = line.item.amount
    return {
        "component": line.item.component,
        "price": line.item.price,
        "unit": line.price.unit if line.price is not None else None,
        "each": str(line.price.amount) if line.price is not None else None,
        "source": line.price.source if line.price is not None else None,
        "amount": {"low": str(amount.low), "expected": str(amount.expected), "high": str(amount.high)},
        "cost": None if line.cost is None else data(line.cost),
    }
