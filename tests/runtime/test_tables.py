import msgspec
import pytest

from shoal import record
from shoal.errors import EngineError
from shoal.runtime.tables import table_of


@record("points", key="name")
class Point(msgspec.Struct, frozen=True):
    name: str
    x: int
    tags: tuple[str, ...] = ()


def test_a_record_survives_its_row() -> None:
    mapping = table_of(Point)
    point = Point("a", 3, ("far", "near"))
    assert mapping.table.json == {"tags"}
    assert mapping.from_row(mapping.to_row(point)) == point


def test_a_row_that_does_not_fit_is_the_stores_fault_and_says_where() -> None:
    mapping = table_of(Point)
    with pytest.raises(EngineError, match=r"a row of table points is no Point: Expected `int`.*\$\.x") as caught:
        mapping.from_row({"name": "a", "x": "three", "tags": "[]"})
    assert "migration" in caught.value.hint
