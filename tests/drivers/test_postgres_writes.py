"""How writes become statements: pure, no server."""

import re
from datetime import UTC, datetime
from pathlib import Path

from shoal.drivers.base import Mark, Message, Receipt, Table
from shoal.drivers.postgres import sql
from shoal.drivers.postgres.writes import INLINE_ROWS, Call, Writes

ORDERS = Table(name="orders", key="id", columns=("id", "lines"), json=frozenset({"lines"}))
LINES = Table(name="shop.lines", key="sku", columns=("sku", 'a "b"'))


def order(key: str, lines: str = "[]") -> dict[str, object]:
    return {"id": key, "lines": lines}


def test_a_command_is_one_statement() -> None:
    writes = Writes()
    writes.insert(ORDERS, order("1"))
    writes.publish(Message(id="m", subject="s", key="k", body=b"b", headers={"h": "v"}))
    writes.answer(Receipt(key="k", fingerprint="f", status=201, headers=(("a", "b"),), body=b"r"))
    ((text, values),) = writes.statements()
    assert text == (
        "with w0 as (insert into shoal.outbox (id, subject, key, body, headers) values ($1, $2, $3, $4, $5::jsonb)), "
        'w1 as (insert into "orders" ("id", "lines") values ($6, $7::jsonb)) '
        "insert into shoal.receipts (key, fingerprint, status, headers, body) values ($8, $9, $10, $11::jsonb, $12)"
    )
    assert values == ["m", "s", "k", b"b", '{"h":"v"}', "1", "[]", "k", "f", 201, '[["a","b"]]', b"r"]


def test_a_put_replaces_what_it_leaves_out() -> None:
    writes = Writes()
    writes.put(LINES, {"sku": "s"})
    ((text, values),) = writes.statements()
    assert text == (
        'insert into "shop"."lines" ("sku") values ($1) on conflict ("sku") do update set "a ""b""" = default'
    )
    assert values == ["s"]


def test_writes_that_one_statement_cannot_hold_are_split_in_order() -> None:
    writes = Writes()
    writes.put(ORDERS, order("1"))
    writes.put(LINES, {"sku": "s", 'a "b"': 1})
    writes.delete(ORDERS, "1")
    writes.delete(ORDERS, "2")
    writes.insert(ORDERS, order("1"))
    first, second, third = (text for text, _ in writes.statements())
    assert first.startswith('with w0 as (insert into "orders"')
    assert second == 'delete from "orders" where "id" in ($1, $2)'
    assert third.startswith('insert into "orders"')


def test_the_last_put_of_a_row_wins_within_a_statement() -> None:
    writes = Writes()
    writes.insert(ORDERS, order("1", "a"))
    writes.put(ORDERS, order("1", "b"))
    ((text, values),) = writes.statements()
    assert "conflict" not in text
    assert values == ["1", "b"]


def test_many_rows_are_split_into_powers_of_two() -> None:
    writes = Writes()
    for number in range(100):
        writes.put(ORDERS, order(str(number)))
    assert [len(values) // 2 for _, values in writes.statements()] == [64, 32, 4]
    few = Writes()
    for number in range(INLINE_ROWS):
        few.put(ORDERS, order(str(number)))
    assert len(few.statements()) == 1


def test_a_read_is_touched_by_writes_it_could_see() -> None:
    writes = Writes()
    writes.put(ORDERS, order("A"))
    assert writes.touch(ORDERS)
    assert writes.touch(ORDERS, "a")
    assert not writes.touch(ORDERS, "b")
    assert writes.touch(ORDERS, 1.5)
    assert not writes.touch(LINES)
    writes.delete(LINES, "s")
    assert writes.touch(ORDERS, "b")


def test_sql_of_the_service_keeps_its_place_and_is_put_together() -> None:
    writes = Writes()
    writes.insert(ORDERS, order("1"))
    for number in (1, 2):
        assert writes.call("update x set y = $1", (number,)) == number
    assert writes.call("delete from x", ()) == 1
    writes.put(ORDERS, order("2"))
    later = Writes()
    later.put(ORDERS, order("3"))
    later.call("delete from x", ())
    later.put(ORDERS, order("4"))
    writes.absorb(later)
    assert writes.touch(LINES, "s")  # it may have changed anything
    calls = [piece if isinstance(piece, Call) else piece[1][0] for piece in writes.earlier()]
    assert calls == [
        "1",
        Call("update x set y = $1", [(1,), (2,)]),
        Call("delete from x", [()]),
        "2",
        "3",
        Call("delete from x", [()]),
    ]
    assert [values[0] for _, values in writes.statements()] == ["4"]


def test_marks_stay_behind_when_the_rest_is_sent_early() -> None:
    writes = Writes()
    for number in ("1", "2"):
        writes.accept(Mark(consumer="c", message_id=number, at=datetime(2026, 1, 1, tzinfo=UTC)))
        writes.insert(ORDERS, order(number))
        writes.publish(Message(id=number, subject="s", key="k", body=b"b"))
        ((text, _),) = writes.visible().statements()
        assert "inbox" not in text
        assert "outbox" in text
        assert '"orders"' in text
        assert not writes.touch(ORDERS, number)
    ((text, values),) = writes.statements()
    assert text.startswith("insert into shoal.inbox")
    assert values[1] == ["1", "2"]


def test_nothing_notifies() -> None:
    """``NOTIFY`` takes one lock of the whole database at the commit, so that commits wait for each other."""
    folder = Path(sql.__file__).parent
    sources = [file.read_text("utf-8") for file in folder.glob("*.py")]
    assert len(sources) > 10
    assert not [text for text in sources if re.search(r"\bpg_notify\b|\bnotify\s+\w", text, re.IGNORECASE)]
