"""The model refuses a saga that could neither go on nor go back, also when it comes from a file."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.model.saga import ORDER, Saga, Step, StepKind


def steps(kinds: list[StepKind]) -> tuple[Step, ...]:
    return tuple(
        Step(name=f"s{n}", kind=kind, compensation="undo" if kind == "compensatable" else "", source=f"here:{n}")
        for n, kind in enumerate(kinds)
    )


@given(st.lists(st.sampled_from(ORDER), min_size=1, max_size=6))
def test_only_one_order_of_steps_is_possible(kinds: list[StepKind]) -> None:
    possible = kinds == sorted(kinds, key=ORDER.index) and kinds.count("pivot") <= 1
    if possible:
        saga = Saga(name="trip", steps=steps(kinds))
        assert msgspec.json.decode(msgspec.json.encode(saga), type=Saga) == saga
        return
    with pytest.raises(DeclarationError) as refused:
        Saga(name="trip", steps=steps(kinds))
    assert refused.value.where.startswith("here:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name":"a","kind":"compensatable"}', "step a has no compensation"),
        ('{"name":"a","kind":"pivot","compensation":"b"}', "is never undone"),
        ('{"name":"a","kind":"magic"}', "Invalid enum value"),
        ('{"name":"a","kind":"pivot","more":1}', "unknown field"),
    ],
)
def test_a_file_cannot_say_what_an_author_cannot(text: str, says: str) -> None:
    with pytest.raises((DeclarationError, msgspec.ValidationError), match=says):
        msgspec.json.decode(text, type=Step)
