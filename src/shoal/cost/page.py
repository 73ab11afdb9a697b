"""A page of HTML that needs nothing beside it: no network, no scripts; light or dark as its reader has it. Pure."""

from collections.abc import Iterable, Sequence
from html import escape

_COLOURS = (
    ("#0b6e99", "#4cb3e0"),
    ("#b3541e", "#f0945a"),
    ("#2e7d4f", "#66c48d"),
    ("#7b4fa3", "#b893dd"),
    ("#8a6d00", "#dcb53c"),
    ("#a83a5b", "#ee87a6"),
    ("#5a6570", "#a3afba"),
)
"""Of parts in light and in dark; each stands out from the ground by 3 : 1 or more (WCAG 2.2, 1.4.11)."""

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --line: #c9d1d9; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --ink: #e6edf3; --line: #3d444d; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem;
  background: var(--ground); color: var(--ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
figure { margin: 1rem 0; }
th, td { padding: .2rem .8rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg path { fill: none; }
svg .halo { stroke: var(--ground); stroke-width: 4; }
svg .range { stroke: var(--ink); stroke-width: 1.5; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; }
.legend span { display: inline-block; width: .9em; height: .9em; margin-right: .4em; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, sections: Iterable[str], notes: Iterable[str]) -> str:
    """Put sections of HTML, and notes of text, into one page."""
    light = "".join(f".c{n} {{ fill: {a}; background: {a}; }} " for n, (a, _) in enumerate(_COLOURS))
    dark = "".join(f".c{n} {{ fill: {b}; background: {b}; }} " for n, (_, b) in enumerate(_COLOURS))
    told = "".join(f"<li>{escape(note)}</li>\n" for note in notes)
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}{light}\n@media (prefers-color-scheme: dark) {{ {dark}}}\n</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n<h2>To know</h2>\n<ul>\n{told}</ul>\n</body>\n</html>\n"
    )


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """Write a table whose last columns, so many, are numbers."""
    first = len(headers) - numbers
    head = "".join(f'<th scope="col"{_kind(n >= first)}>{escape(name)}</th>' for n, name in enumerate(headers))
    body = "\n".join(f"<tr>{_row(row, first)}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def figure(drawing: str, legend: str) -> str:
    """Put a drawing and what its colours mean together."""
    return f"<figure>{drawing}<figcaption>{legend}</figcaption></figure>"


def _row(row: Sequence[str], first: int) -> str:
    name, *cells = row
    rest = "".join(f"<td{_kind(n >= first)}>{escape(cell)}</td>" for n, cell in enumerate(cells, 1))
    return f'<th scope="row">{escape(name)}</th>{rest}'


def _kind(number: bool) -> str:  # noqa: FBT001 - a cell is a number or it is not
    return ' class="number"' if number else ""
