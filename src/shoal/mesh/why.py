"""Why a request got what it got: from the lines of its hops and the plan to a cause and the line that declared it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from shoal.errors import CircuitOpen, DeclarationError
from shoal.mesh import details, flags, reasons
from shoal.mesh.causes import ADVICE, Cause
from shoal.mesh.hopline import HopLine
from shoal.mesh.logline import LogLine
from shoal.mesh.reasons import Subject
from shoal.model.data import Data
from shoal.model.plan import Plan

RESTING = "resting"
"""Word for a replica that Envoy leaves out for a while because it failed."""

_SLACK = 0.01
"""Seconds by which what was logged during a request may lie outside of it: proxies count in milliseconds."""

_BY_STATUS: Mapping[int, Cause] = {
    400: "malformed",
    401: "unauthenticated",
    403: "denied",
    404: "no-route",
    405: "wrong-method",
    410: "retired",
    413: "too-large",
    415: "malformed",
    429: "limited",
    503: "overloaded",
}
"""What a route means that answers by itself."""

Replicas = Mapping[str, Sequence[str]]
"""Service → what is known of each of its replicas now, for people, such as ``orders-0 restarting: exit code 1``."""


class Step(Data, frozen=True, kw_only=True):
    """What happened at one hop."""

    hop: str
    route: str
    status: int
    said: str
    """Envoy's flags and details, as they are."""
    milliseconds: int


class Explanation(Data, frozen=True, kw_only=True):
    """Why one request got what it got."""

    request_id: str
    trace_id: str
    time: str
    method: str
    path: str
    status: int
    """What the first hop answered; 0 when nobody was left to answer."""
    cause: Cause
    reason: str
    """One sentence."""
    hop: str
    """Where it was decided."""
    policy: str
    """What was declared that decided it; empty where no declaration did."""
    declared: str
    """Where that is declared: ``package/module.py:line``."""
    advice: str
    steps: tuple[Step, ...]
    """Every hop that the request and the calls on its behalf passed, in order."""
    strange: tuple[str, ...] = ()
    """Flags and details of Envoy that Shoal does not know."""


def explain(
    lines: Iterable[HopLine], plan: Plan, replicas: Replicas | None = None, logs: Iterable[LogLine] = ()
) -> Explanation:
    """Explain one request.

    Args:
        lines: Every line of the access log with its request id or its trace, in any order.
        plan: What runs.
        replicas: What is known of the replicas of services.
        logs: What processes logged in its trace.

    Raises:
        DeclarationError: There is no line.
    """
    ordered = sorted(lines, key=_place)
    if not ordered:
        raise DeclarationError("no hop has seen the request", hint="give the lines of the access log")
    first = ordered[0]
    subject = _subject(ordered, plan, replicas or {}, logs)
    policy, declared = reasons.declared(subject)
    return Explanation(
        request_id=first.request_id,
        trace_id=first.trace,
        time=first.time,
        method=first.method,
        path=first.path,
        status=first.status,
        cause=subject.cause,
        reason=reasons.sentence(subject),
        hop=subject.line.hop,
        policy=policy,
        declared=declared,
        advice=ADVICE.get(subject.cause, ""),
        steps=tuple(_step(each) for each in ordered),
        strange=_strange(ordered),
    )


def _subject(lines: Sequence[HopLine], plan: Plan, replicas: Replicas, logs: Iterable[LogLine]) -> Subject:
    """Find the hop that decided, and why it decided so."""
    line = _decisive(lines[0], lines)
    cause, meaning = judge(line)
    if cause == "timed-out":
        line = _whose_time(line, lines, plan)
    if cause == "no-replica" and any(RESTING in told for told in replicas.get(line.callee, ())):
        cause = "ejected"
    told = None
    if cause == "service":
        told = _told(line, logs)
        meaning = _and_not_called(meaning if told is None else told.problem, lines, logs)
        if told is not None and told.failure == CircuitOpen.__name__:
            cause, line = "circuit-open", _would_be(line, told)
    elif cause == "answered":
        told = _stood_in(lines, logs)
        if told is not None:
            cause, line = ("fallback" if told.fallback else "circuit-open"), _would_be(line, told)
    return Subject(plan=plan, line=line, cause=cause, meaning=meaning, replicas=replicas, told=told)


def _would_be(line: HopLine, told: LogLine) -> HopLine:
    """Stand for the call that a service did not make, or of which it did not take the answer."""
    caller = told.service
    return msgspec.structs.replace(
        line, route=told.call, hop=f"outbound.{caller}", cluster=f"{caller}.{told.call.partition('.')[0]}"
    )


def judge(line: HopLine) -> tuple[Cause, str]:
    """Tell the cause from one line, and what Envoy means by what it says."""
    if line.details == details.UPSTREAM:
        return ("service", "") if line.failed else ("answered", "")
    if line.details == details.DIRECT:
        return _answered_by_route(line), line.route
    marked = [(flag.cause, flag.meaning) for flag in flags.known(line.flags)]
    detail = details.known(line.details)
    if detail is not None and not (marked and marked[0][0] == "fault" and line.failed):
        marked.insert(0, (detail.cause, detail.meaning))
    marked.append(("unknown", "") if line.failed else ("answered", ""))
    if marked[0][0] == "client-gone" and line.calls:
        return "timed-out", "the caller no longer waited"
    return marked[0]


def _answered_by_route(line: HopLine) -> Cause:
    """Tell why a route answers by itself, from its name, else from what it answers."""
    if line.route == "undeclared":
        return "undeclared"
    return _BY_STATUS.get(line.status, "unknown" if line.failed else "answered")


def _decisive(line: HopLine, lines: Sequence[HopLine]) -> HopLine:
    """Follow the answer to the hop where it came from; services that call each other in a ring end where it closes."""
    if line.details != details.UPSTREAM:
        return line
    behind = _calls_of(line, lines) if line.serves else _arrival_of(line, lines)
    return line if behind is None else _decisive(behind, [each for each in lines if each is not line])


def _arrival_of(line: HopLine, lines: Sequence[HopLine]) -> HopLine | None:
    """Find where the request arrived that left here; of several tries, the last one."""
    found = [x for x in lines if x.serves and x.serves == line.callee and x.request_id == line.request_id]
    return found[-1] if found else None


def _calls_of(line: HopLine, lines: Sequence[HopLine]) -> HopLine | None:
    """Find the call whose failure made the service fail: the last one of those that failed."""
    if line.status < 500:
        return None
    found = [x for x in lines if x.calls == line.serves and x.trace == line.trace and x.failed]
    return found[-1] if found else None


def _told(line: HopLine, logs: Iterable[LogLine]) -> LogLine | None:
    """Find what the service itself says of its answer."""
    found = [x for x in logs if x.problem and x.service == line.callee]
    return found[-1] if found else None


def _stood_in(lines: Sequence[HopLine], logs: Iterable[LogLine]) -> LogLine | None:
    """Find what stood in for a callee in an answer that looks well, or that the callee was not called.

    It is the last that a service on the way tells of.
    """
    found = [x for x in _during_all(lines, logs) if x.fallback or _not_called(x)]
    return found[-1] if found else None


def _and_not_called(meaning: str, lines: Sequence[HopLine], logs: Iterable[LogLine]) -> str:
    """Add to what a service said of its failure that it had not called another, which may or may not be the reason."""
    found = [x for x in _during_all(lines, logs) if _not_called(x)]
    said = f"{found[-1].call} had not been called: its circuit was open" if found else ""
    return "; ".join(part for part in (meaning, said) if part)


def _not_called(told: LogLine) -> bool:
    return told.failure == CircuitOpen.__name__ and not told.fallback and not told.problem


def _during_all(lines: Sequence[HopLine], logs: Iterable[LogLine]) -> list[LogLine]:
    """Pick what the services on the way logged while the request was under way."""
    asked = {service for line in lines for service in (line.serves, line.callee)}
    return [x for x in logs if x.service in asked and _during(lines[0], x)]


def _during(line: HopLine, told: LogLine) -> bool:
    """Tell whether something was logged while a request was under way: a trace may have several."""
    try:
        begun = datetime.fromisoformat(line.time).timestamp()
    except ValueError:
        return True
    return begun - _SLACK <= told.time <= begun + line.duration_ms / 1000 + _SLACK


def _whose_time(line: HopLine, lines: Sequence[HopLine], plan: Plan) -> HopLine:
    """Find the hop whose declared time ran out: where a service is called, it may be what was left of its caller's."""
    if not line.serves or reasons.used_up(plan, line):
        return line
    sent = [x for x in lines if x.request_id == line.request_id and not x.serves]
    return sent[-1] if sent else line


def _place(line: HopLine) -> tuple[bool, str, bool]:
    """Order lines as the request passed: a hop begins before the next one, within the clock's millisecond too."""
    return not line.at_edge, line.time, bool(line.serves)


def _step(line: HopLine) -> Step:
    said = " ".join(part for part in (line.flags, line.details, line.failure) if part not in ("", "-"))
    return Step(hop=line.hop, route=line.route, status=line.status, said=said, milliseconds=line.duration_ms)


def _strange(lines: Iterable[HopLine]) -> tuple[str, ...]:
    found: list[str] = []
    for line in lines:
        found += flags.strange(line.flags)
        plain = line.details in ("", "-", details.UPSTREAM, details.DIRECT)
        if not plain and details.known(line.details) is None:
            found.append(line.details)
    return tuple(dict.fromkeys(found))
