"""What a transaction over documents holds back, and how rows are written as documents; no engine is asked."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents.engine import Document, Write
from shoal.drivers.base.documents.overlay import Overlay
from shoal.drivers.mongo import asking, values
from shoal.errors import Conflict, Duplicate
from tests.conformance.harness import ORDERS, mark, row

THINGS = Table(
    name="things", key="id", columns=("id", "at", "count", "share", "done", "raw", "data"), json=frozenset({"data"})
)
NOW = datetime(2030, 1, 1, tzinfo=UTC)

_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_rows = st.fixed_dictionaries(
    {
        "id": st.text(min_size=1) | st.integers(-(1 << 63), (1 << 63) - 1),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "count": st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
        "share": st.none() | st.floats(allow_nan=False),
        "done": st.none() | st.booleans(),
        "raw": st.none() | st.binary(),
        "data": _data.filter(lambda found: found is not None).map(json.dumps),
    }
)


@given(_rows)
def test_a_row_comes_back_as_it_was(row: dict[str, object]) -> None:
    found = values.read(THINGS, values.document(THINGS, row["id"], row, "v1"))
    assert found.version == "v1"
    assert found.key == row["id"]
    assert {**found.row, "data": json.loads(str(found.row["data"]))} == {**row, "data": json.loads(str(row["data"]))}


def test_what_has_two_spellings_is_written_in_one() -> None:
    name = UUID("12345678123456781234567812345678")
    assert values.value(name) == str(name)
    assert asking.where(THINGS, {"id": name}) == {"$and": [{"_id": {"$eq": str(name)}}]}


def test_null_is_larger_than_every_value() -> None:
    stages = asking.pipeline(THINGS, Query(order=("-count",), limit=2, offset=1))
    assert stages[1:] == [
        {"$set": {"_null0": {"$eq": [{"$ifNull": ["$count", None]}, None]}}},
        {"$sort": {"_null0": -1, "count": -1, "_id": 1}},
        {"$skip": 1},
        {"$limit": 2},
        {"$unset": ["_null0"]},
    ]
    assert asking.condition(THINGS, Query(at_most={"count": None})) == {"$and": [{"_id": {"$in": []}}]}


def test_rows_that_swap_a_unique_value_give_it_up_first() -> None:
    done = Overlay()
    done.put(ORDERS, row("1", customer="b"))
    done.put(ORDERS, row("2", customer="a"))
    done.delete(ORDERS, "3")
    done.insert(ORDERS, row("4", customer="c"))
    assert [_short(write) for write in done.writes(NOW)] == [
        ("3", "put", None),
        ("1", "change", {"customer": None}),
        ("2", "change", {"customer": None}),
        ("1", "put", "b"),
        ("2", "put", "a"),
        ("4", "insert", "c"),
    ]


def test_one_row_is_written_once() -> None:
    done = Overlay()
    done.put(ORDERS, row("1"))
    assert [_short(write) for write in done.writes(NOW)] == [("1", "put", "customer of 1")]


def test_what_a_transaction_contradicts_itself_is_refused() -> None:
    done = Overlay()
    done.insert(ORDERS, row("1"))
    with pytest.raises(Conflict):
        done.insert(ORDERS, row("1"))
    done.delete(ORDERS, "1")
    done.insert(ORDERS, row("1"))
    done.accept(mark())
    with pytest.raises(Duplicate):
        done.accept(mark())


def test_a_page_is_filled_whatever_the_changes_hide() -> None:
    done = Overlay()
    done.delete(ORDERS, "1")
    done.put(ORDERS, row("2", total=9))
    query = Query(where={"total": 0}, limit=2, offset=1)
    assert done.wider(ORDERS, query).limit == 5
    found = [Document(key=f"{n}", version="v", row=row(f"{n}")) for n in range(5)]
    assert [one["id"] for one in done.arrange(ORDERS, query, found)] == ["3", "4"]


def test_a_copy_stays_as_it_was() -> None:
    done = Overlay()
    done.put(ORDERS, row("1"))
    kept = done.copy()
    done.put(ORDERS, row("2"))
    done.accept(mark())
    assert [_short(write) for write in kept.writes(NOW)] == [("1", "put", "customer of 1")]


def _short(write: Write) -> tuple[object, str, object]:
    if write.row is None:
        return write.key, write.how, None
    return write.key, write.how, dict(write.row) if write.how == "change" else write.row["customer"]
