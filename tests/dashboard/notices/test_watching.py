"""Rules over a run's file: what services sent becomes notices there, and objectives that can be asked for."""

import asyncio
import itertools
import string
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shoal.dashboard.notices import unanswered, watch
from shoal.dashboard.notices.kept import notices, ongoing
from shoal.dashboard.notices.ledger import Notice
from shoal.dashboard.notices.standing import Standing, Tallies, objectives
from shoal.dashboard.notices.traffic import read_minutes
from shoal.dashboard.notices.watch import Watch
from shoal.dashboard.store.reading import database
from shoal.dashboard.store.records import Told
from tests.dashboard.notices.recorded import OTHER, START, Run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path)
    yield made
    made.writer.close()


def test_a_budget_that_burns_is_noticed_and_over_when_it_burns_no_more(run: Run) -> None:
    run.promise(START)
    run.count(START, 100, 0)
    assert run.look(START + 1) == []
    run.count(START + 10, 150, 50)
    (begun,) = run.look(START + 11)
    assert (begun.rule, begun.severity, begun.until) == ("budget", "page", None)
    assert "50 requests were bad" in begun.text
    run.count(START + 20, 160, 60)
    (changed,) = run.look(START + 21)
    assert (changed.id, changed.since) == (begun.id, begun.since)
    assert "60 requests were bad" in changed.text
    after = START + 7 * 3600 + 3 * 86_400
    run.count(after, 1_000_000, 60)
    (ended,) = run.look(after + 1)
    assert (ended.id, ended.until) == (begun.id, (after + 1) * 1000)


def test_replicas_add_up_and_one_that_began_anew_counts_from_zero(run: Run) -> None:
    run.promise(START)
    run.count(START, 100, 1)
    run.count(START, 50, 0, OTHER)
    run.count(START + 5, 110, 1)
    run.count(START + 5, 7, 2, OTHER)  # its process was started again
    run.count(START + 10, 9, 2, OTHER)
    assert run.writer.flush()
    with database(run.file) as opened:
        (found,) = objectives(opened, now=(START + 11) * 1000.0).items
    assert (found.good, found.bad) == (100 + 10 + 50 + 7 + 2, 1 + 2)
    assert (found.operation, found.promise) == ("orders.place_order", "99.9 % without failure over 30d")
    assert found.kept == pytest.approx(169 / 172)
    assert found.budget_left == pytest.approx(1 - 3 / 172 / 0.001, rel=1e-6)
    assert [burn.window for burn in found.burns] == [3600.0, 21_600.0, 259_200.0]
    assert msgspec.json.decode(msgspec.json.encode(found))["name"] == "availability"


def test_what_no_replica_answered_counts_against_the_availability(run: Run) -> None:
    run.promise(START)
    run.count(START, 100, 0)
    for second in range(5):
        run.span(START + second, error="no replica", service="gateway")
    own = run.span(START + 5, error="it failed")
    run.span(START + 5, error="via_upstream", service="gateway", trace=own)
    run.span(START + 5, service="gateway", flags="RL")
    found = {notice.key: notice for notice in run.look(START + 16)}
    assert "5 requests were bad" in found["orders.place_order availability"].text
    assert run.look(START + 17) == [], "and once"
    with database(run.file) as opened:
        (standing,) = objectives(opened, now=(START + 17) * 1000.0).items
    assert (standing.good, standing.bad) == (100, 5)


def test_a_replica_whose_clock_is_ahead_hides_no_other(run: Run) -> None:
    run.promise(START)
    run.count(START + 3600, 10, 0, OTHER)
    run.count(START, 100, 0)
    assert run.look(START + 1) == []
    run.count(START + 10, 100, 50)
    (found,) = run.look(START + 11)
    assert "50 requests were bad" in found.text


def test_what_the_window_left_behind_is_forgotten(run: Run) -> None:
    tallies = Tallies()
    run.promise(START)
    for second in range(100):
        run.count(START + 10 * second, 100 * second, 0)
        run.count(START + 10 * second - 15, 100 * second, 0, OTHER)
        assert run.writer.flush()
        with database(run.file) as opened:
            tallies.read(opened)
    (place,) = tallies.objectives
    assert len(tallies.of(place)) <= 102, "ten seconds are one count, whoever tells of them"
    tallies.forget(START + 500 + 30 * 86_400)
    assert min(count.at for count in tallies.of(place)) > START + 500


def test_who_asks_again_reads_on(run: Run) -> None:
    standing = Standing()
    run.promise(START)
    run.count(START, 100, 1)
    run.span(START, error="no replica", service="gateway")
    assert run.writer.flush()
    with database(run.file) as opened:
        before = standing.read(opened, now=(START + 20) * 1000.0)
        run.writer._connection.execute("DELETE FROM points WHERE at <= ?", (START * 10**6,))
        run.promise(START + 1)
        run.count(START + 1, 110, 1)
        assert run.writer.flush()
        (found,) = standing.read(opened, now=(START + 21) * 1000.0).items
        assert [(one.good, one.bad) for one in before.items] == [(100, 2)]
        assert (found.good, found.bad) == (110, 2)


def test_failures_of_the_gateway_are_found_by_their_index(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "_FAILED", unanswered._FAILED.replace("1000", "3"))
    for second in range(10):
        run.span(START + second, error="no replica", service="gateway")
    assert run.writer.flush()
    with database(run.file) as opened:
        plan = opened.ask(f"EXPLAIN QUERY PLAN {unanswered._FAILED}", (0, 10, "gateway"))
        assert any("spans_bad" in row[3] for row in plan)
        edge = unanswered.Edge()
        assert [len(edge.read(opened, START + until)) for until in (5, 5, 20, 20)] == [5, 0, 5, 0]


def test_an_objective_that_nobody_asked_anything_of_is_kept(run: Run) -> None:
    run.promise(START)
    assert run.writer.flush()
    with database(run.file) as opened:
        (found,) = objectives(opened, now=START * 1000.0).items
    assert (found.kept, found.budget_left, found.bad) == (None, 1.0, 0)


def test_an_error_is_noticed_where_it_was_raised_and_nowhere_else(run: Run) -> None:
    run.span(START, error="no order 17")
    own = run.span(START + 1, error="no order 18")
    run.span(START + 1, kind=3, error="the callee failed", service="web")
    run.span(START + 1, error="", service="web")
    run.span(START + 1, error="it failed", service="gateway", trace=own)
    (found,) = run.look(START + 15)
    assert (found.rule, found.service, found.since) == ("error", "orders", START * 1000 + 1)
    assert "KeyError: no order 17 (POST /orders in shop/orders/service.py place_order)" in found.text
    assert found.traces["example"] == (1).to_bytes(16, "big").hex()
    assert run.look(START + 16) == []


def test_what_no_replica_answered_is_told_by_the_gateway(run: Run) -> None:
    run.span(START, error="via_upstream", service="gateway")
    run.span(START, error="UT", service="gateway", flags="UT", trace=run.span(START))  # it was done too late
    assert run.look(START + 9) == [], "spans of the service may still come"
    (found,) = run.look(START + 11)
    assert (found.rule, found.service) == ("error", "gateway")
    assert "2 times: 503: no answer of orders" in found.text


def test_traffic_is_judged_by_full_minutes_once_there_are_enough(run: Run) -> None:
    begin = START // 60 * 60
    for minute in range(14):
        for second in range(0, 60, 2 if minute < 12 else 1):
            for _ in range(4 if minute < 12 else 40):
                run.span(begin + 60 * minute + second)
        if minute == 11:
            assert run.look(begin + 60 * 12 + 15) == []
    (found,) = run.look(begin + 60 * 13 + 15)
    assert (found.rule, found.service) == ("traffic", "orders")
    assert "asked 2400 times in the last minute" in found.text


def test_the_minute_in_which_a_service_was_first_asked_is_no_full_one(run: Run) -> None:
    begin = START // 60 * 60
    run.span(begin + 55)
    for second in range(60, 240, 10):
        run.span(begin + second)
    assert run.writer.flush()
    with database(run.file) as opened:
        assert read_minutes(opened, begin + 241) == {"orders": [6.0, 6.0, 6.0]}
        assert read_minutes(opened, begin + 301) == {"orders": [6.0, 6.0, 6.0, 0.0]}


def test_notices_go_on_where_a_process_is_started_again(run: Run) -> None:
    run.span(START, error="no order 17")
    run.promise(START)
    run.count(START, 50, 50)
    begun = run.look(START + 1)
    assert len(begun) == 2
    run.watch = Watch(run.file, run.writer)
    assert run.look(START + 2) == []
    with database(run.file) as opened:
        assert [n.severity for n in notices(opened, going=True).items] == ["page", "note"]
        assert [n.rule for n in notices(opened, service="orders", rule="error").items] == ["error"]
        assert notices(opened, service="web").items == []


def test_all_notices_go_on_however_many(run: Run) -> None:
    for first, second in itertools.product(string.ascii_lowercase[:15], repeat=2):
        run.span(START, error=f"no {first} {second}")
    assert len(run.look(START + 1)) == 225
    ended = b'{"until": 1.0, "of": "another version"}'
    run.writer.put([Told("x", START, ended)])
    assert run.writer.flush()
    with database(run.file) as opened:
        assert len(ongoing(opened)) == 225
        assert len(notices(opened, going=True).items) == 200
    assert Watch(run.file, run.writer).look(START + 2) == []


async def test_a_look_that_fails_is_told_once_and_the_next_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said, looked, failures = list[str](), asyncio.Event(), [KeyError("x"), KeyError("x")]

    def look(_: Watch, now: float) -> list[Notice]:
        if failures:
            raise failures.pop()
        loop.call_soon_threadsafe(looked.set)
        return []

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(watch, "PAUSE", 0.0)
    monkeypatch.setattr(Watch, "look", look)
    watching = asyncio.create_task(watch.watch(run.file, run.writer, said.append))
    await asyncio.wait_for(looked.wait(), 10)
    watching.cancel()
    assert said == ["notices: KeyError: 'x'"]
