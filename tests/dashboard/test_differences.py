"""What sets some traces apart from others."""

from hypothesis import given
from hypothesis import strategies as st

from shoal.dashboard.server.differences import MOST, differences

Side = list[frozenset[tuple[str, str]]]

SIDE = st.lists(st.frozensets(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))), max_size=8)


def side(*traces: str) -> Side:
    return [frozenset((word[0], word[1:]) for word in trace.split()) for trace in traces]


def test_what_only_the_selected_have_comes_first() -> None:
    found = differences(side("a1 b1", "a1 b2"), side("a2 b1", "a2 b2", "a2 b1"))
    assert [(one.key, one.value, one.selected, one.others) for one in found[:2]] == [("a", "1", 2, 0), ("a", "2", 0, 3)]
    assert (found[0].difference, found[1].difference) == (1.0, -1.0)


def test_what_is_as_frequent_on_both_sides_is_left_out() -> None:
    assert differences(side("a1", "a2"), side("a1", "a2")) == []


def test_attributes_with_many_values_are_identifiers_and_say_nothing() -> None:
    many = side(*(f"a{number} b1" for number in range(60)))
    assert {one.key for one in differences(many, side("c1"))} == {"b", "c"}


@given(SIDE, SIDE)
def test_the_other_way_round_only_the_signs_change(selected: Side, others: Side) -> None:
    there, back = differences(selected, others), differences(others, selected)
    assert len(there) <= MOST
    assert {(one.key, one.value, one.difference) for one in there} == {
        (one.key, one.value, -one.difference) for one in back
    }
    assert all(-1 <= one.difference <= 1 for one in there)
