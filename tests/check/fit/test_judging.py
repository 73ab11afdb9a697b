"""Advice follows from evidence, and nothing from what nobody knows."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.check.fit.evidence import Commit, Evidence, History, Measured, Pair, Part, Run, Service
from shoal.check.fit.history import changes
from shoal.check.fit.judging import advise

AA, BB = (Service(name=name, handlers=4, home=name, availability=0.999) for name in ("aa", "bb"))
FIRST = Commit(author="0", day=0, paths=("aa/x.py", "bb/x.py"), first=True)
BOTH = Commit(author="1", day=1, paths=("aa/x.py", "bb/x.py"))
RUN = Run(name="run 1", work={"aa": 10, "bb": 20}, pairs={("aa", "bb"): Measured(calls=20, work=10, most=2, hop=0.002)})


def told(*commits: Commit, shallow: bool = False) -> History:
    return History(since="6 months", days=180, commits=commits, shallow=shallow)


FULL = Evidence(
    system="sys",
    services=(AA, BB),
    pairs=(Pair(caller="aa", callee="bb", places=1),),
    chain=("aa", "bb"),
    history=told(*[BOTH] * 5),
    run=RUN,
)


def test_two_that_are_one_are_merged_with_what_it_saves() -> None:
    (merge,) = advise(FULL).merges
    assert merge.verdict == "merge"
    assert merge.effect.latency == "4 ms less for each piece of work of aa: 2.00 calls × 2 ms (medians of run 1)"
    assert "99.9 % × 99.9 % = 99.8 % now" in merge.effect.availability
    assert merge.effect.cost.startswith("unknown")


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"history": None}, "unknown"),
        ({"history": told(*[FIRST] * 5, BOTH, shallow=True)}, "unknown"),
        ({"history": told(*[FIRST] * 5, BOTH)}, "apart"),
        ({"run": None}, "unknown"),
        ({"run": msgspec.structs.replace(RUN, pairs={})}, "apart"),
        ({"pairs": (Pair(caller="aa", callee="bb", places=1, required=False),)}, "apart"),
    ],
)
def test_without_one_of_the_four_nothing_is_merged(change: dict[str, object], verdict: str) -> None:
    assert advise(msgspec.structs.replace(FULL, **change)).merges[0].verdict == verdict


def test_a_service_of_parts_that_have_nothing_in_common_is_split() -> None:
    parts = tuple(
        Part(handlers=(n,), data=(n,), callers=(caller,), files=(f"aa/{n}.py",))
        for n, caller in (("p", "cc"), ("q", "dd"))
    )
    history = told(*(Commit(author=n, day=1, paths=(f"aa/{n}.py",)) for n in "pq"))
    service = msgspec.structs.replace(AA, parts=parts)
    assert [s.verdict for s in advise(Evidence(system="s", services=(service, BB), history=history)).splits] == [
        "split"
    ]
    assert [s.verdict for s in advise(Evidence(system="s", services=(service, BB))).splits] == ["unknown"]


def test_a_small_team_without_reasons_for_services_is_told_one_process() -> None:
    assert advise(msgspec.structs.replace(FULL, team=4)).whole.verdict == "one process"
    assert advise(Evidence(system="s", services=(AA, BB))).whole.verdict == "unknown"


def test_one_service_is_one_process_and_nothing_is_weighed() -> None:
    whole = advise(Evidence(system="s", services=(AA,))).whole
    assert (whole.verdict, whole.says) == ("one process", "there is one service, which is one process")


@given(st.lists(st.sets(st.sampled_from(["aa/x.py", "bb/y.py", "cc"]), min_size=1), max_size=30))
def test_coupling_is_a_share_and_alike_from_both_sides(paths: list[set[str]]) -> None:
    commits = [Commit(author="0", day=1, paths=tuple(each)) for each in paths]
    found = changes(msgspec.structs.replace(FULL, history=told(*commits)))
    assert found is not None
    assert 0 <= found.coupling("aa", "bb") == found.coupling("bb", "aa") <= 1
