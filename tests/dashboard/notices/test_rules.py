"""The rules by themselves: what they notice, and what they leave alone."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import Objective
from shoal.dashboard.notices.budget import burning, span
from shoal.dashboard.notices.failures import QUIET, Failures
from shoal.dashboard.notices.fingerprint import Failure, innermost, normal
from shoal.dashboard.notices.ledger import Finding, Notice, settle
from shoal.dashboard.notices.traffic import HISTORY, band, judged, unusual
from shoal.model.burning import Count

NOW = 1_800_000_000.0
PLACE = ("orders", "orders.place_order", "availability")
STEADY = Objective(availability=0.999)
minutes = st.lists(st.integers(0, 100_000).map(float), min_size=HISTORY, max_size=60)
keys = st.sets(st.sampled_from("abcd"))


def finding(key: str, severity: str = "note", text: str = "it is so") -> Finding:
    return Finding(rule="error", key=key, service="orders", severity=severity, text=text)  # type: ignore[arg-type]


def failure(message: str, *, kind: str = "KeyError", frame: str = "", at: float = NOW * 1000) -> Failure:
    return Failure(
        service="orders", operation="POST /orders", type=kind, message=message, frame=frame, at=at, trace_id="ab" * 16
    )


@given(st.lists(keys, max_size=12))
def test_each_finding_is_one_notice_from_its_begin_to_its_end(looks: list[set[str]]) -> None:
    going: dict[tuple[str, str], Notice] = {}
    known: dict[str, Notice] = {}
    for now, found in enumerate(looks):
        changed = settle(going, map(finding, sorted(found)), float(now))
        before = {key for _, key in going}
        assert {n.key for n in changed if n.until is None} == found - before
        assert {n.key for n in changed if n.until == now} == before - found
        known |= {n.id: n for n in changed}
        going = {(n.rule, n.key): n for n in known.values() if n.until is None}
        assert {key for _, key in going} == found
    assert sum(n.until is None for n in known.values()) == (len(looks[-1]) if looks else 0)


def test_a_notice_keeps_the_worst_that_it_was_and_tells_the_latest() -> None:
    (first,) = settle({}, [finding("a", "page", "burns 20 times")], 1.0)
    going = {("error", "a"): first}
    (second,) = settle(going, [finding("a", "ticket", "burns twice")], 2.0)
    assert (second.id, second.since, second.severity, second.text) == (first.id, 1.0, "page", "burns twice")
    assert settle({("error", "a"): second}, [finding("a", "ticket", "burns twice")], 3.0) == []


@given(minutes, st.floats(0, 1e6))
def test_a_minute_is_unusual_exactly_outside_the_band(before: list[float], latest: float) -> None:
    usual = band(before)
    assert usual is not None
    found = list(unusual("orders", [*before, latest]))
    assert bool(found) == (not usual[0] <= latest <= usual[1])


@given(st.lists(st.integers(0, 100_000).map(float), max_size=HISTORY))
def test_nothing_is_unusual_at_the_start(few: list[float]) -> None:
    assert list(unusual("orders", few)) == []


@given(st.floats(0, 1e6), st.integers(HISTORY, 60))
def test_what_is_always_the_same_is_usual(each: float, count: int) -> None:
    assert list(unusual("orders", [each] * (count + 1))) == []


@given(minutes, st.data())
def test_how_wild_a_minute_was_does_not_matter_to_the_band(before: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(before) - 1))
    wild, wilder = ([*before[:at], extreme, *before[at + 1 :]] for extreme in (1e9, 1e12))
    assert band(wild) == band(wilder)


@pytest.mark.parametrize(("latest", "text"), [(0.0, "asked 0 times"), (900.0, "asked 900 times"), (130.0, "")])
def test_a_service_that_is_asked_much_less_or_more(latest: float, text: str) -> None:
    found = list(unusual("orders", [118.0, 125.0, 131.0, 122.0, 127.0, 119.0, 124.0, 126.0, 121.0, 123.0, latest]))
    assert [f.text for f in found] == ([] if not text else [found[0].text])
    assert text in (found[0].text if found else "")
    assert not found or "62 to 185 are usual, by the 10 minutes before (median 123.5)" in found[0].text


def test_when_nobody_asks_anything_nobody_is_missed() -> None:
    busy, calm = [300.0] * 20, [100.0] * 20
    assert judged({"web": [*busy, 0.0], "orders": [*calm, 0.0]}) == []
    assert judged({}) == judged({"web": []}) == []
    assert [found.service for found in judged({"web": [*busy, 310.0], "orders": [*calm, 0.0]})] == ["orders"]


def test_a_burning_budget_is_told_by_its_worst_alarm() -> None:
    counts = [Count(NOW - 10 * n, 95, 5) for n in range(60)]
    (found,) = burning(PLACE, STEADY, counts, NOW)
    assert (found.rule, found.severity, found.service) == ("budget", "page", "orders")
    assert found.text == (
        "orders.place_order breaks its promise of 99.9 % without failure over 30d: 300 requests were bad within 1 h, "
        "so the error budget burns 50.0 times too fast (50.0 within 5 min; alarm at 14.4); nothing of it is left"
    )
    assert found.traces == {"service": "orders", "attribute": "shoal.operation=orders.place_order", "errors": "true"}


def test_slow_answers_are_looked_for_by_their_time() -> None:
    quick = Objective(latency=0.3, target=0.99)
    (found,) = burning(("web", "web", "latency-0.3s"), quick, [Count(NOW, 10, 190)], NOW)
    assert (found.severity, found.traces) == ("page", {"service": "web", "min_ms": "300"})


def test_a_kept_promise_is_no_news() -> None:
    assert list(burning(PLACE, STEADY, [Count(NOW - 10 * n, 10_000, 1) for n in range(60)], NOW)) == []
    assert list(burning(PLACE, STEADY, [], NOW)) == []


@pytest.mark.parametrize(("seconds", "text"), [(300, "5 min"), (3600, "1 h"), (86_400 * 3, "3 d"), (8.4, "8.4 s")])
def test_spans_of_time(seconds: float, text: str) -> None:
    assert span(seconds) == text


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.uuids(), st.uuids())
def test_what_differs_each_time_makes_no_new_error(one: int, other: int, left: uuid.UUID, right: uuid.UUID) -> None:
    for text in (
        "no order ord_{hex} of {id}",
        "took {n:g} s, port {n}",
        "'{id}' is gone",
        "0x{n:x} at mail{n}@example.org",
    ):
        first, second = (
            failure(text.format(n=n, id=identifier, hex=identifier.hex))
            for n, identifier in ((one, left), (other, right))
        )
        assert first.fingerprint == second.fingerprint, (normal(first.message), normal(second.message))


def test_what_is_another_error() -> None:
    same = failure("no such order")
    others = [
        failure("no such product"),
        failure("no such order", kind="ValueError"),
        failure("no such order", frame="shop/orders/service.py place_order"),
    ]
    assert len({each.fingerprint for each in (same, *others)}) == 4


@given(st.text(max_size=3000))
def test_any_message_has_a_short_normal_form_that_stays(message: str) -> None:
    found = normal(message)
    assert len(found) <= 200
    assert "\n" not in found


def test_the_innermost_line_of_a_traceback() -> None:
    stack = (
        'Traceback (most recent call last):\n  File "shoal/endpoint.py", line 12, in serve\n    await work()\n'
        '  File "shop/orders/service.py", line 61, in place_order\n    raise KeyError(7)\nKeyError: 7\n'
    )
    assert innermost(stack) == "shop/orders/service.py place_order"
    assert innermost("no traceback") == ""


def test_an_error_is_new_until_it_is_quiet_and_never_again() -> None:
    seen, start = Failures(), NOW * 1000
    seen.note([failure("no order 1", at=start), failure("no order 2", at=start + 5000)])
    (found,) = seen.findings(start + 6000)
    assert (found.since, found.traces["example"]) == (start, "ab" * 16)
    assert found.text == "orders failed in a new way, 2 times: KeyError: no order 1 (POST /orders)"
    assert list(seen.findings(start + 5000 + QUIET + 1)) == []
    seen.note([failure("no order 3", at=start + 5000 + QUIET + 2)])
    assert list(seen.findings(start + 5000 + QUIET + 3)) == []
