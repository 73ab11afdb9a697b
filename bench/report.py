"""What a benchmark found, and how it is shown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.statistics import Estimate, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One ratio; more than one is better, whatever it compares."""

    what: str
    ratio: Estimate
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """Say whether it holds; without a target there is nothing to hold."""
        return self.target.verdict(self.ratio) if self.target else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Absolute figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One benchmark."""

    id: str
    title: str
    about: str
    """What is compared and how, in Markdown."""
    comparisons: tuple[Comparison, ...]
    tables: tuple[Table, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Settings and circumstances of this benchmark only."""


_HEAD = """\
# Benchmarks

`make bench` measured these figures and wrote this page. Each is a ratio of two things that ran on one machine in the
same minute; absolute figures say more about the machine than about the code, and stand here only to be divided.

**Method.** Everybody does a fixed amount of work, in rounds that read the same forwards and backwards (A B B A, then
B A A B), so that a drift of the machine cancels out. A ratio is taken within each round; shown are the median of the
rounds and the interval that holds it with 95 % confidence (bootstrap). An interval that reaches further than 10 % from
its median is called unresolved, whatever it suggests. Processor time is the scheduler's account of all the processes
at work. The first run of everybody is thrown away, and so is a round from which the hypervisor took more than 2 % of
the processors. Before anything is timed, contestants must give the same answers. A verdict looks at the whole
interval: it is on the right side of the target, on the wrong side, or across it.
"""


def page(sections: Sequence[Section], machine: Mapping[str, str]) -> str:
    """Write the whole page."""
    parts = [_HEAD, summary(sections), "## Machine\n", _listing(machine), *map(_section, sections)]
    return "\n".join(parts).rstrip("\n") + "\n"


def summary(sections: Iterable[Section]) -> str:
    """Write the table of all ratios."""
    rows = [
        (section.id, c.what, str(c.ratio), str(c.target or "–"), c.verdict or "–")
        for section in sections
        for c in section.comparisons
    ]
    return _table(("", "ratio of", "median [95 % interval]", "target", "verdict"), rows)


def _section(section: Section) -> str:
    parts = [f"## {section.id}: {section.title}\n", section.about.strip() + "\n"]
    parts += [_table(table.columns, table.rows) for table in section.tables]
    if section.facts:
        parts.append(_listing(section.facts))
    return "\n".join(parts)


def _listing(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
