"""What stands on a cloud for what is declared, as a table: a column for each cloud. Pure data.

A cell that is not possible says why and what to use. The page is docs/reference/clouds.md; a test writes it, and asks
every column for every engine of the catalog.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shoal.model import catalog, unfit

ASKED = ("store", "broker", "cache", "search", "objects", "warehouse")
"""Kinds of engines that a system asks for."""

OTHERS = (
    "a service", "a call", "an exposed endpoint", "a host and its certificate", "a firewall", "people who sign in",
    "secrets", "keys of personal data", "images", "e-mail", "events for others", "logs", "metrics and alarms", "traces",
    "a budget", "who may do what", "pipelines without keys", "containers on Kubernetes", "a second region",
)  # fmt: skip
"""What a system takes besides engines."""


class Cell(msgspec.Struct, frozen=True):
    """What stands for one thing."""

    text: str
    possible: bool = True
    """False where nothing does; the text then says why, and what to use."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One cloud."""

    title: str
    command: str
    """That writes it: ``shoal deploy aws``."""
    cells: Mapping[str, Cell]
    """By engine of the catalog, by engine that carries no system, and by thing (`OTHERS`)."""


def no(text: str) -> Cell:
    """Say that something is not possible, why, and what to use."""
    return Cell(text, possible=False)


def rows() -> list[str]:
    """Name the rows: engines that can be in production, those that carry no system, and other things."""
    engines = [row.name for row in catalog.ENGINES if row.kind in ASKED and not row.name.startswith("memory")]
    return [*engines, *unfit.BROKERS, *OTHERS]


def cell(column: Column, row: str) -> Cell:
    """Look up a cell; what carries no system anywhere says so for every cloud."""
    if row in unfit.BROKERS and row not in column.cells:
        why = unfit.BROKERS[row]
        return no(f"it {why.reason}; {why.instead}")
    return column.cells[row]


def page(columns: Iterable[Column]) -> str:
    """Write the page."""
    return "\n".join(_lines([*columns])) + "\n"


def _lines(columns: list[Column]) -> Iterator[str]:
    yield "# What stands for what on which cloud"
    yield ""
    yield (
        "Written from the same tables that the compilers and their tests read. **No** says why, and what to use. "
        "An engine that is another's is reached by an address, which is a secret that you fill in."
    )
    yield ""
    yield f"| Declared | {' | '.join(f'{one.title} (`{one.command}`)' for one in columns)} |"
    yield "|---|" + "---|" * len(columns)
    for row in rows():
        name = f"`{row}`" if row not in OTHERS else row
        yield f"| {name} | {' | '.join(_written(cell(one, row)) for one in columns)} |"


def _written(one: Cell) -> str:
    return one.text if one.possible else f"**No**: {one.text}"
