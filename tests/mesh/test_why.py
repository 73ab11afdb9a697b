"""Explaining is a pure function of lines and plan: whole tables, answers that come from afar, and what nobody knows."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.mesh import details, flags
from shoal.mesh.causes import ADVICE
from shoal.mesh.hopline import HopLine, read
from shoal.mesh.logline import LogLine
from shoal.mesh.why import explain, judge
from shoal.model.access import Access
from shoal.model.breaker import Breaker
from shoal.model.edge import Edge
from shoal.model.issuers import Consumer
from shoal.model.limits import RateLimit
from shoal.model.service import Call, Policy, Service
from shoal.model.system import Gateway, System
from tests.mesh.samples import INTERNAL, endpoint, planned, service

CHARGE = endpoint("charge", "POST", "/charges", INTERNAL)
PLAN = planned(
    System(
        name="chain",
        services=(
            Service(
                name="orders",
                entry="orders:orders",
                source="orders.py:1",
                endpoints=(endpoint("place", "POST", "/orders"),),
                calls=(Call(service="payments", endpoint="charge", policy=Policy(timeout=2.0), source="orders.py:9"),),
            ),
            service("payments", CHARGE),
        ),
    )
)
EDGE = HopLine(
    time="2026-01-01T00:00:00.000Z", hop="edge", request_id="r1", trace_id="t1", method="POST", path="/orders",
    route="orders.place", status=502, details=details.UPSTREAM, cluster="gateway.orders",
)  # fmt: skip
ARRIVED = HopLine(
    time="2026-01-01T00:00:00.001Z", hop="inbound.orders", request_id="r1", trace_id="t1", route="orders.place",
    status=502, details=details.UPSTREAM, cluster="orders",
)  # fmt: skip


def calling(status: int, said: str, marked: str = "-", *, second: int = 1, duration: int = 5) -> HopLine:
    return HopLine(
        time=f"2026-01-01T00:00:0{second}.000Z", hop="outbound.orders", request_id=f"c{second}", trace_id="t1",
        route="payments.charge", status=status, details=said, flags=marked, cluster="orders.payments",
        duration_ms=duration,
    )  # fmt: skip


@pytest.mark.parametrize("flag", flags.FLAGS, ids=lambda flag: flag.flag)
def test_every_flag_is_understood_alone(flag: flags.Flag) -> None:
    assert judge(HopLine(status=503, flags=flag.flag, details="-")) == (flag.cause, flag.meaning)


@pytest.mark.parametrize("detail", details.DETAILS, ids=lambda detail: detail.start)
def test_every_detail_is_reached(detail: details.Detail) -> None:
    assert details.known(f"{detail.start}{{x}}") == detail, "an earlier beginning hides it"


def test_tables_name_each_thing_once() -> None:
    assert len({flag.flag for flag in flags.FLAGS}) == len(flags.FLAGS)
    assert len({detail.start for detail in details.DETAILS}) == len(details.DETAILS)
    causes = {flag.cause for flag in flags.FLAGS} | {detail.cause for detail in details.DETAILS}
    assert set(ADVICE) <= causes | {"wrong-method", "undeclared", "retired", "ejected", "circuit-open", "fallback"}


def test_a_failed_call_explains_the_answer_of_its_caller() -> None:
    late = calling(504, "upstream_response_timeout", "UT", duration=2001)
    found = explain([late, ARRIVED, EDGE], PLAN)
    assert (found.cause, found.hop, found.status) == ("timed-out", "outbound.orders", 502)
    assert found.reason == "payments.charge gave no answer within 2 s"
    assert (found.policy, found.declared) == ("the call of payments.charge by orders", "orders.py:9")
    assert [step.hop for step in found.steps] == ["edge", "inbound.orders", "outbound.orders"]


def test_the_last_of_several_failed_calls_counts() -> None:
    tries = [calling(503, "no_healthy_upstream", "UH", second=1), calling(503, "local_rate_limited", "RL", second=2)]
    assert explain([EDGE, ARRIVED, *tries], PLAN).cause == "limited"


def test_calls_that_went_well_and_those_of_others_explain_nothing() -> None:
    good = calling(200, details.UPSTREAM)
    other = calling(504, "upstream_response_timeout", "UT")
    assert explain([EDGE, ARRIVED, good], PLAN).cause == "service"
    stranger = msgspec.structs.replace(other, trace_id="t2")
    assert explain([EDGE, ARRIVED, stranger], PLAN).cause == "service"


def test_what_was_left_of_the_callers_time_is_the_callers_time() -> None:
    arrived = HopLine(
        time="2026-01-01T00:00:01.001Z", hop="inbound.payments", request_id="c1", trace_id="t1",
        route="payments.charge", status=504, details="upstream_response_timeout", flags="UT", duration_ms=1990,
    )  # fmt: skip
    left = calling(504, details.UPSTREAM, duration=1995)
    found = explain([EDGE, ARRIVED, left, arrived], PLAN)
    assert (found.cause, found.hop, found.declared) == ("timed-out", "outbound.orders", "orders.py:9")
    slow = msgspec.structs.replace(arrived, duration_ms=5000)
    assert explain([EDGE, ARRIVED, left, slow], PLAN).hop == "inbound.payments"


def test_a_caller_that_hung_up_before_envoy_did_had_waited_long_enough() -> None:
    gone = calling(0, "downstream_remote_disconnect", "DC", duration=1999)
    assert explain([EDGE, ARRIVED, gone], PLAN).cause == "timed-out"


def test_replicas_that_rest_are_told_from_those_that_are_not_there() -> None:
    line = HopLine(hop="inbound.orders", status=503, flags="UH", details="no_healthy_upstream", cluster="orders")
    assert explain([line], PLAN).cause == "no-replica"
    found = explain([line], PLAN, {"orders": ["orders-0 resting", "orders-1 restarting: exit code 1"]})
    assert found.cause == "ejected"
    assert "orders-1 restarting: exit code 1" in found.reason


def test_what_the_service_says_of_itself_is_told() -> None:
    said = LogLine(
        source="orders-canary-0", service="orders", level="error", message="POST /orders 502", problem="upstream-failed"
    )
    other = LogLine(source="payments-0", service="payments", level="error", message="x", problem="no")
    assert (
        explain([EDGE, ARRIVED], PLAN, logs=[said, other]).reason
        == "orders.place itself answered 502 (upstream-failed)"
    )


def test_an_open_circuit_is_no_call() -> None:
    said = LogLine(
        source="orders-0", service="orders", level="error", message="x", problem="unavailable", failure="CircuitOpen",
        call="payments.charge",
    )  # fmt: skip
    found = explain([EDGE, ARRIVED], PLAN, logs=[said])
    assert (found.cause, found.declared, found.hop) == ("circuit-open", "orders.py:9", "outbound.orders")
    assert found.reason == "orders did not call payments.charge: its circuit is open after failures"


GUARDED = planned(
    System(
        name="guarded",
        services=(
            Service(
                name="orders",
                entry="orders:orders",
                endpoints=(endpoint("place", "POST", "/orders"),),
                calls=(
                    Call(
                        service="payments",
                        endpoint="charge",
                        source="orders.py:9",
                        breaker=Breaker(circuit="payments", source="orders.py:4", fallback_source="orders.py:5"),
                    ),
                ),
            ),
            service("payments", CHARGE),
        ),
    )
)
WELL = tuple(msgspec.structs.replace(line, status=200) for line in (EDGE, ARRIVED))
STOOD_IN = LogLine(
    time=1767225600.0, source="orders-0", service="orders", level="info", message="x", call="payments.charge",
    fallback="default", failure="CallFailed",
)  # fmt: skip


def test_an_open_circuit_ends_with_its_breaker() -> None:
    said = LogLine(
        source="orders-0", service="orders", level="error", message="x", problem="unavailable", failure="CircuitOpen",
        call="payments.charge",
    )  # fmt: skip
    found = explain([EDGE, ARRIVED], GUARDED, logs=[said])
    assert (found.cause, found.policy) == ("circuit-open", "the breaker of payments.charge in orders")
    assert found.declared == "orders.py:4"
    assert found.reason == "orders did not call payments.charge: the circuit payments is open after failures"


@pytest.mark.parametrize(
    ("kind", "failure", "declared", "reason"),
    [
        ("default", "CallFailed", "orders.py:5", "with the fallback of payments.charge: the call failed"),
        ("default", "CircuitOpen", "orders.py:5", "the circuit payments is open after failures"),
        ("cached", "CallTimedOut", "orders.py:4", "with an earlier answer of payments.charge: the call failed"),
    ],
)
def test_a_fallback_behind_a_good_answer_is_told(kind: str, failure: str, declared: str, reason: str) -> None:
    said = msgspec.structs.replace(STOOD_IN, fallback=kind, failure=failure)
    found = explain(WELL, GUARDED, logs=[said])
    assert (found.cause, found.status, found.hop, found.declared) == ("fallback", 200, "outbound.orders", declared)
    assert found.reason.startswith("orders went on with")
    assert found.reason.endswith(reason)


def test_a_fallback_of_another_request_or_service_is_none_of_this_one() -> None:
    later = msgspec.structs.replace(STOOD_IN, time=STOOD_IN.time + 60)
    stranger = msgspec.structs.replace(STOOD_IN, service="basket")
    assert explain(WELL, GUARDED, logs=[later, stranger]).cause == "answered"
    assert explain([EDGE, ARRIVED], GUARDED, logs=[STOOD_IN]).cause == "service", (
        "a failure is explained by what failed"
    )


NOT_CALLED = msgspec.structs.replace(STOOD_IN, fallback="", failure="CircuitOpen")


def test_a_caller_that_catches_an_open_circuit_is_told_of() -> None:
    found = explain(WELL, GUARDED, logs=[NOT_CALLED])
    assert (found.cause, found.status, found.hop) == ("circuit-open", 200, "outbound.orders")
    assert (found.policy, found.declared) == ("the breaker of payments.charge in orders", "orders.py:4")
    assert found.reason == "orders did not call payments.charge: the circuit payments is open after failures"
    later = msgspec.structs.replace(NOT_CALLED, time=NOT_CALLED.time + 60)
    assert explain(WELL, GUARDED, logs=[later]).cause == "answered"


def test_a_failure_of_its_own_after_an_open_circuit_tells_both() -> None:
    said = LogLine(source="orders-0", service="orders", level="info", message="x", problem="closed-today")
    found = explain([EDGE, ARRIVED], GUARDED, logs=[NOT_CALLED, said])
    assert found.cause == "service", "it may have failed for another reason"
    assert found.reason.endswith("(closed-today; payments.charge had not been called: its circuit was open)")


@pytest.mark.parametrize("status", [503, 429])
def test_an_injected_fault_is_a_fault_whatever_else_is_said(status: int) -> None:
    line = calling(status, "fault_filter_abort", "FI")
    found = explain([EDGE, ARRIVED, line], PLAN)
    assert (found.cause, found.reason) == ("fault", "a fault was injected between orders and payments")


def test_a_delay_that_made_it_late_is_named() -> None:
    found = explain([EDGE, ARRIVED, calling(504, "upstream_response_timeout", "UT,DI", duration=2000)], PLAN)
    assert found.cause == "timed-out"
    assert found.reason.endswith("; a delay was injected")


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    found = explain([HopLine(hop="edge", status=418, flags="ZZ,QQ", details="teapot_filter")], PLAN)
    assert (found.cause, found.declared) == ("unknown", "")
    assert found.reason == "Envoy answered 418 with flags ZZ,QQ and details teapot_filter"
    assert found.strange == ("ZZ", "QQ", "teapot_filter")


def test_nothing_cannot_be_explained() -> None:
    with pytest.raises(DeclarationError, match="no hop has seen"):
        explain([], PLAN)


def test_lines_of_others_are_read_as_nothing() -> None:
    assert read(b'{"hop": "edge", "sta') is None
    assert read(b"[1]") is None
    assert read(b'{"status": "many"}') is None
    assert read(b'{"hop": "edge", "trace_id": null, "new_field": 1}') == HopLine(hop="edge")


def test_a_trace_is_found_in_its_parent_too() -> None:
    assert HopLine(traceparent="00-abc-def-01").trace == "abc"
    assert HopLine(traceparent="nonsense").trace == ""


WORDS = st.text(max_size=30) | st.sampled_from([f.flag for f in flags.FLAGS] + [d.start for d in details.DETAILS])
HOPS = st.sampled_from(["edge", "inbound.orders", "outbound.orders", "inbound.payments", "elsewhere", ""])
ROUTES = st.sampled_from(["orders.place", "payments.charge", "undeclared", "405 /orders", "a.b", "", "."])
LINES = st.builds(
    HopLine, hop=HOPS, route=ROUTES, status=st.integers(0, 599), flags=WORDS, details=WORDS | st.just("via_upstream"),
    request_id=st.sampled_from(["r1", "r2", ""]), trace_id=st.sampled_from(["t1", ""]), path=st.text(max_size=20),
    cluster=st.sampled_from(["gateway.orders", "orders", "orders.payments", ""]), caller=st.text(max_size=10),
    duration_ms=st.integers(0, 10**6), time=st.sampled_from(["1", "2", "3"]),
)  # fmt: skip


def test_services_that_call_each_other_in_a_ring_are_explained() -> None:
    """Each waits for what the other answers, so that following the answers alone would never end."""
    called = calling(502, details.UPSTREAM)
    there = msgspec.structs.replace(ARRIVED, hop="inbound.payments", request_id="c1", cluster="payments")
    back = msgspec.structs.replace(called, hop="outbound.payments", request_id="c2", cluster="payments.orders")
    again = msgspec.structs.replace(ARRIVED, request_id="c2")
    assert explain([EDGE, ARRIVED, called, there, back, again], PLAN).cause == "service"


@given(st.lists(LINES, min_size=1, max_size=6))
def test_whatever_the_log_holds_there_is_an_explanation(lines: list[HopLine]) -> None:
    found = explain(lines, PLAN)
    assert found.reason
    assert found.steps


def test_what_was_looked_for_and_who_is_counted_is_said() -> None:
    signed = msgspec.structs.replace(endpoint("mine", "GET", "/mine"), access=Access())
    often = msgspec.structs.replace(endpoint("all", "GET", "/all"), edge=Edge(limit=RateLimit(requests=1)))
    found = Gateway(consumers=(Consumer(name="till"),))
    plan = planned(System(name="counted", services=(service("orders", signed, often),), gateway=found))
    missing = HopLine(
        time="2026-01-01T00:00:00.000Z", hop="edge", request_id="r1", trace_id="t1", method="GET", path="/mine",
        route="orders.mine", status=401, details="jwt_authn_access_denied{Jwt_is_missing}",
    )  # fmt: skip
    assert "no token in Authorization and no known key in X-API-Key" in explain([missing], plan).reason
    limited = msgspec.structs.replace(missing, status=429, route="orders.all", details="local_rate_limited", flags="RL")
    assert explain([limited], plan).reason.endswith("for each address")
