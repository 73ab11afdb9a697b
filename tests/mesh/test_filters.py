"""The order of filters is the table's."""

import pytest

from shoal.errors import DeclarationError
from shoal.mesh.filters import ORDER, http_filter, in_order


def test_every_filter_has_a_reason_and_one_place() -> None:
    assert all(slot.reason for slot in ORDER)
    assert len({slot.name for slot in ORDER}) == len(ORDER)


def test_filters_are_sorted_by_the_table() -> None:
    made = [http_filter(slot.name) for slot in ORDER]
    assert in_order(reversed(made)) == made
    assert made[-1]["name"] == "envoy.filters.http.router"


@pytest.mark.parametrize("use", [http_filter, lambda name: in_order([{"name": name}])])
def test_a_filter_missing_in_the_table_is_an_error(use: object) -> None:
    assert callable(use)
    with pytest.raises(DeclarationError, match=r"envoy\.filters\.http\.lua.* has no place"):
        use("envoy.filters.http.lua")
