"""A comparison for people and programs: a table, JSON, Markdown, a page with a chart. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from shoal.cost import chart, page
from shoal.cost.comparison import Way, cheapest, unknown
from shoal.cost.estimate import Line, cents
from shoal.cost.groups import GROUPS
from shoal.cost.render import SHARED, UNKNOWN, amounts, data, entry
from shoal.cost.usage import Range

HEADERS = ("CLOUD", "HOW", "REGION", *(group.upper() for group in GROUPS), "LOW", "EXPECTED", "HIGH")
_TITLE = "What it costs a month, side by side"


def rows(found: Sequence[Way]) -> list[list[str]]:
    """Write a row for each way: what is expected of each group, then the whole."""
    return [_row(way) for way in found]


def markdown(found: Sequence[Way], told: Sequence[str]) -> str:
    """Write a page in Markdown."""
    lines = [f"| {' | '.join(HEADERS)} |", f"|{'---|' * 3}{'---:|' * (len(HEADERS) - 3)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows(found)]
    return "\n".join([*lines, "", *(f"- {note}" for note in [*notes(found), *told])]) + "\n"


def html(found: Sequence[Way], told: Sequence[str]) -> str:
    """Write a page with a chart and the same as a table."""
    bars = [
        chart.Bar(
            name=way.name,
            parts=tuple((group, one.expected) for group, one in way.sums().items() if one is not None),
            total=way.estimate.total,
            partial=bool(way.estimate.unknown),
        )
        for way in found
    ]
    drawing = page.figure(chart.drawn(_TITLE, bars, GROUPS), chart.legend(GROUPS))
    table = page.table("The same as a table", HEADERS, rows(found), numbers=len(HEADERS) - 3)
    return page.page(_TITLE, [drawing, table], [*notes(found), *told])


def document(found: Sequence[Way], told: Sequence[str] = ()) -> dict[str, Any]:
    """Write everything as data; amounts are text, so that none is rounded on its way."""
    best = cheapest(found)
    return {
        "ways": [_way(way) for way in found],
        "cheapest": best.name if best is not None else None,
        "told": list(told),
    }


def notes(found: Sequence[Way]) -> Iterator[str]:
    """Say of which day the prices are, what is the least, and what nobody knows."""
    for table in {way.estimate.table.provider: way.estimate.table for way in found}.values():
        if table.date:
            yield f"prices of {table.provider} in {table.region}, {table.currency}, {table.date}; no taxes or discounts"
        else:
            yield f"no price of {table.provider} in {table.region} is known here"
    if len({way.estimate.table.region for way in found}) > 1:
        yield "clouds differ from region to region: --region may be said once for each"
    best = cheapest(found)
    if best is not None:
        yield f"{best.name} is expected to cost least: {cents(best.estimate.total.expected):,}"
    if any(way.estimate.unknown for way in found):
        yield "+ : something in it has no known price, so it costs more than it says"
    yield from unknown(found)


def _way(way: Way) -> dict[str, Any]:
    return {
        "cloud": way.cloud,
        "how": way.how,
        "provider": way.estimate.table.provider,
        "region": way.estimate.table.region,
        "prices_of": way.estimate.table.date,
        "currency": way.estimate.table.currency,
        "total": data(way.estimate.total),
        "groups": {group: None if one is None else data(one) for group, one in way.sums().items()},
        "unknown": sorted({line.item.price for line in way.estimate.unknown}),
        "lines": [
            {"service": service or SHARED, **entry(line)}
            for service in way.estimate.services
            for line in way.estimate.of(service)
        ],
    }


def _row(way: Way) -> list[str]:
    groups = [_cell(one, way.of(group)) for group, one in way.sums().items()]
    totals = [f"{told}{_mark(way.estimate.lines)}" for told in amounts(way.estimate.total)]
    return [way.cloud, way.how, way.estimate.table.region, *groups, *totals]


def _cell(found: Range | None, lines: Sequence[Line]) -> str:
    return UNKNOWN if found is None else f"{cents(found.expected):,}{_mark(lines)}"


def _mark(lines: Sequence[Line]) -> str:
    """Say that something in a sum has no known price."""
    return "+" if any(line.cost is None for line in lines) else ""
