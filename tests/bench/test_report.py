"""The page that benchmarks write."""

import pytest

from bench.__main__ import BENCHES, PAGE
from bench.machine import Busyness
from bench.outcome import kept
from bench.races import circumstances, compare, figures
from bench.report import Section, page, summary
from bench.rounds import Round, Sample
from bench.statistics import Target


def sample(seconds: float, cpu_ns: int) -> Sample:
    return Sample(operations=100, seconds=seconds, cpu_ns=cpu_ns)


ROUND = Round(
    samples={"ours": (sample(1.0, 4000), sample(1.0, 4000)), "theirs": (sample(2.0, 16000), sample(2.0, 16000))},
    busyness=Busyness(steal=0.01, load=1.5),
)
ROUNDS = (ROUND,) * 3
SECTION = Section(
    id="B0",
    title="a test",
    about="\nSomething is compared.\n",
    comparisons=compare(ROUNDS, "ours", "theirs", what="ours / theirs", target=Target(bound=3.0)),
    tables=(figures(ROUNDS),),
    facts=circumstances(ROUNDS),
)


def test_faster_and_cheaper_are_both_more_than_one() -> None:
    by_clock, by_cpu = SECTION.comparisons
    assert by_clock.ratio.median == 2.0
    assert by_cpu.ratio.median == 4.0
    assert (by_clock.verdict, by_cpu.verdict) == ("missed", "met")


def test_the_table_shows_every_ratio_with_its_interval_and_verdict() -> None:
    assert summary([SECTION]).splitlines()[2:] == [
        "| B0 | ours / theirs, by the clock | 2 [2, 2] | ≥ 3 | missed |",
        "| B0 | ours / theirs, by processor time | 4 [4, 4] | ≥ 3 | met |",
    ]


def test_the_page_holds_the_figures_that_were_divided() -> None:
    text = page([SECTION], {"processor": "two of them"})
    assert "| ours | 100 | 0.0 |" in text
    assert "| theirs | 50 | 0.2 |" in text
    assert "- rounds: 3, of 100 operations twice for everybody" in text
    assert "- processor: two of them" in text
    assert text.endswith("1.5\n")


@pytest.mark.parametrize("name", BENCHES)
def test_what_was_measured_is_on_the_page(name: str) -> None:
    result = kept(name)
    if result is not None:
        said = PAGE.read_text("utf-8")
        assert page([result.section], {}).partition(f"## {name}: ")[2].strip() in said
        assert f"{name} {result.when}" in said
        for comparison in result.section.comparisons:
            assert f"| {name} | {comparison.what} | {comparison.ratio} |" in said
