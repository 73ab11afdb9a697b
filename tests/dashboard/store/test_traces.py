"""Traces are found by what they are, newest first, however their spans came."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from shoal.dashboard.store.reading import Database, LogQuery, TraceQuery, logs, news, trace, traces
from shoal.dashboard.store.reading.database import Unanswerable
from tests.dashboard.telling import NOON, log, span, written

MS = NOON / 1000


@pytest.fixture
def recorded(tmp_path: Path) -> Database:
    """Three requests; the second failed in another service, the third was slow."""
    return written(
        tmp_path / "run-000001.db",
        [
            span("orders", "POST /orders", 1, number=1, took=20, attributes={"order.id": 41, "vip": True}),
            span("products", "GET /prices", 1, parent=1, at=2, took=5),
        ],
        [
            span("orders", "POST /orders", 2, number=1, at=1000, took=30, attributes={"order.id": 42}),
            span("products", "GET /prices", 2, parent=1, at=1002, failed=True, attributes={"customer": "ada 100%"}),
        ],
        [span("users", "GET /users/me", 3, at=2000, took=900)],
    )


def test_a_trace_says_what_began_it_and_who_took_part(recorded: Database) -> None:
    newest, failed, first = traces(recorded, TraceQuery()).items
    assert [newest.trace_id[-2:], failed.trace_id[-2:], first.trace_id[-2:]] == ["03", "02", "01"]
    assert (first.service, first.name, first.kind) == ("orders", "POST /orders", "server")
    assert (first.started, first.ms, first.spans, first.status) == (MS, 20.0, 2, "ok")
    assert (failed.errors, failed.status, failed.services) == (1, "error", ["orders", "products"])


@pytest.mark.parametrize(
    ("wishes", "found"),
    [
        ({"service": "products"}, [2, 1]),
        ({"service": "nobody"}, []),
        ({"operation": "GET /prices"}, [2, 1]),
        ({"service": "orders", "operation": "GET /prices"}, []),
        ({"errors": True}, [2]),
        ({"errors": False}, [3, 1]),
        ({"service": "orders", "errors": True}, []),  # an error of this service, not of one that it asked
        ({"min_ms": 25}, [3, 2]),
        ({"max_ms": 25}, [1]),
        ({"min_ms": 25, "max_ms": 100}, [2]),
        ({"text": "prices"}, [2, 1]),
        ({"text": "GET /"}, [3, 2, 1]),
        ({"text": "%"}, []),
        ({"text": "ada 100%"}, [2]),
        ({"text": "00000000000000000000000000000003"}, [3]),
        ({"text": "42"}, [2]),
        ({"text": "true"}, [1]),
        ({"attribute": "order.id=41"}, [1]),
        ({"attribute": "vip=true"}, [1]),
        ({"attribute": "order.id=4"}, []),
        ({"since": MS + 500}, [3, 2]),
        ({"until": MS + 500}, [1]),
        ({"since": MS + 500, "until": MS + 1500}, [2]),
        ({"since": MS + 9000}, []),
        ({"service": "products", "attribute": "order.id=41", "min_ms": 1}, [1]),
    ],
)
def test_each_wish_narrows_what_is_found(recorded: Database, wishes: dict[str, Any], found: list[int]) -> None:
    assert [int(one.trace_id, 16) for one in traces(recorded, TraceQuery(**wishes)).items] == found


def test_work_that_nobody_asked_for_can_be_left_out_unless_it_failed(tmp_path: Path) -> None:
    database = written(
        tmp_path / "run-000001.db",
        [
            span("orders", "project history", 1, kind="internal"),
            span("orders", "project history", 2, kind="internal", failed=True),
            span("orders", "process orders.placed.v1", 3, kind="consumer"),
            span("orders", "step", 4, number=9, parent=8, kind="internal"),
        ],
    )
    found = traces(database, TraceQuery(asked=True)).items
    assert sorted(int(one.trace_id, 16) for one in found) == [2, 3, 4], "the beginning of the last is missing"


@pytest.mark.parametrize("wishes", [{"cursor": "x"}, {"cursor": "9" * 30}, {"attribute": "no value"}])
def test_a_question_without_meaning_is_refused(recorded: Database, wishes: dict[str, Any]) -> None:
    with pytest.raises(Unanswerable):
        traces(recorded, TraceQuery(**wishes))


@pytest.mark.parametrize("wishes", [{}, {"service": "orders"}, {"text": "POST"}, {"min_ms": 1}, {"since": MS}])
def test_pages_go_through_all_of_them_once(tmp_path: Path, wishes: dict[str, Any]) -> None:
    batch = [span("orders", f"POST /orders/{n % 3}", n + 1, at=n, took=2) for n in range(25)]
    database = written(tmp_path / "run-000001.db", batch)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = traces(database, TraceQuery(cursor=cursor, limit=4, **wishes))
        assert 0 < len(page.items) <= 4
        seen += [int(one.trace_id, 16) for one in page.items]
        cursor = page.next
    assert seen == list(range(25, 0, -1))


SPANS = [
    span("orders", "POST /orders", 9, number=1, at=10, took=50),
    span("orders", "GET /prices", 9, number=2, parent=1, at=12, took=20, kind="client"),
    span("products", "GET /prices", 9, number=3, parent=2, at=5, took=5),  # by a clock that is behind
    span("mails", "process orders.placed.v1", 9, number=4, parent=1, at=3_600_000, took=7, failed=True),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_in_which_spans_come_does_not_matter(tmp_path: Path, order: tuple[int, ...]) -> None:
    database = written(tmp_path / "run-000001.db", *([SPANS[n]] for n in order))
    (one,) = traces(database, TraceQuery()).items
    assert (one.service, one.name) == ("orders", "POST /orders")
    assert (one.spans, one.errors, sorted(one.services)) == (4, 1, ["mails", "orders", "products"])
    assert (one.started, one.ms) == (MS + 5, 3_600_002.0)
    found = trace(database, one.trace_id)
    assert found is not None
    assert [each.name for each in found.spans] == [SPANS[n].name for n in (2, 0, 1, 3)]
    assert [each.parent_id[-1:] for each in found.spans] == ["2", "", "1", "1"]


def test_a_trace_whose_root_never_came_is_named_after_its_first_span(tmp_path: Path) -> None:
    lost = [span("b", "later", 5, parent=77, at=5), span("a", "sooner", 5, parent=77, at=1)]
    (one,) = traces(written(tmp_path / "run-000001.db", lost), TraceQuery()).items
    assert (one.service, one.name) == ("a", "sooner")


def test_a_trace_has_everything_that_was_told_of_it(tmp_path: Path) -> None:
    told = span(
        "orders", "POST /orders", 7, number=-5, parent=3, took=2.5, failed=True, message="broke",
        attributes={"a": [1, {"b": None}], "c": 1.5}, events=[("exception", NOON + 500, {"exception.type": "Boom"})],
        links=[("ab" * 16, "cd" * 8)],
    )  # fmt: skip
    database = written(tmp_path / "run-000001.db", [told, log("orders", "it broke", trace=7), log("orders", "other")])
    found = trace(database, "0" * 31 + "7")
    assert found is not None
    (one,), (line,) = found.spans, found.logs
    assert (one.span_id, one.parent_id) == ("fffffffffffffffb", "0000000000000003")
    assert (one.ms, one.status, one.message, one.replica) == (2.5, "error", "broke", "orders-0")
    assert one.attributes == {"a": [1, {"b": None}], "c": 1.5}
    assert [(e.name, e.at, e.attributes) for e in one.events] == [("exception", MS + 0.5, {"exception.type": "Boom"})]
    assert [(each.trace_id, each.span_id) for each in one.links] == [("ab" * 16, "cd" * 8)]
    assert (line.message, line.trace_id) == ("it broke", found.trace_id)


def test_a_long_trace_is_read_in_parts(tmp_path: Path) -> None:
    database = written(tmp_path / "run-000001.db", [span("a", f"step {n}", 1, at=n) for n in range(30)])
    identifier = "0" * 31 + "1"
    first, second = trace(database, identifier, limit=20), trace(database, identifier, limit=20, offset=20)
    assert first is not None
    assert second is not None
    assert (first.total, len(first.spans), len(second.spans)) == (30, 20, 10)
    assert [one.name for one in (*first.spans, *second.spans)] == [f"step {n}" for n in range(30)]


def test_an_identifier_may_be_cut_short_but_must_be_one(recorded: Database) -> None:
    assert trace(recorded, "f" * 32) is None
    assert trace(recorded, "000000") is not None
    for wrong in ("", "xyz", "0" * 33):
        with pytest.raises(Unanswerable):
            trace(recorded, wrong)


def test_of_a_trace_that_only_logged_its_logs_are_there(tmp_path: Path) -> None:
    database = written(tmp_path / "run-000001.db", [log("orders", "alone", trace=8)])
    found = trace(database, "0" * 31 + "8")
    assert found is not None
    assert (found.total, [line.message for line in found.logs]) == (0, ["alone"])


def test_names_beyond_many_keep_their_spans_and_share_their_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal.dashboard.store.reading import operations  # noqa: PLC0415
    from shoal.dashboard.store.writing import names  # noqa: PLC0415

    monkeypatch.setattr(names, "MANY", 3)
    database = written(tmp_path / "run-000001.db", [span("a", f"GET /{n}", n + 1) for n in range(6)])
    assert {one.name: one.count for one in operations(database).items} == {
        "GET /0": 1, "GET /1": 1, "GET /2": 1, names.OTHER: 3,
    }  # fmt: skip
    found = trace(database, "0" * 31 + "6")
    assert found is not None
    assert found.spans[0].name == "GET /5"


@pytest.mark.parametrize("number", ["²", "٣", "9" * 19, "9" * 5000, "-1", "", "x"])
def test_what_is_no_position_is_said_to_be_none(recorded: Database, number: str) -> None:
    for wishes in (f"{number}-1", f"1-{number}"):
        with pytest.raises(Unanswerable):
            logs(recorded, LogQuery(cursor=wishes))
        with pytest.raises(Unanswerable):
            news(recorded, wishes)
    if number:
        with pytest.raises(Unanswerable):
            traces(recorded, TraceQuery(cursor=number))
