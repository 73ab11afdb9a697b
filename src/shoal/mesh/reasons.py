"""The sentence for a cause, and the declaration that decided it."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shoal.errors import CircuitOpen, DeclarationError
from shoal.mesh.causes import Cause
from shoal.mesh.details import NO_TOKEN
from shoal.mesh.hopline import HopLine
from shoal.mesh.logline import LogLine
from shoal.model.limits import Who
from shoal.model.plan import GATEWAY, Plan
from shoal.model.service import Call, Endpoint, Service, shape

_NEARLY = 0.8
"""Share of a policy's time after which it is this policy that struck, and no shorter rest of the caller's time."""

_WHOSE: Mapping[Who, str] = {
    "principal": "each principal", "address": "each address", "everyone": "all together",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The hop that decided, and all that is known."""

    plan: Plan
    line: HopLine
    cause: Cause
    meaning: str
    replicas: Mapping[str, Sequence[str]]
    told: LogLine | None = None
    """What the service itself said of it; None when it said nothing, or where a proxy decided."""

    @property
    def service(self) -> Service | None:
        """The service that is asked."""
        return _service(self.plan, self.line.callee)

    @property
    def endpoint(self) -> Endpoint | None:
        """The operation that is asked for."""
        return _endpoint(self.plan, self.line)

    @property
    def call(self) -> Call | None:
        """The declared call, where a service calls out."""
        return _call(self.plan, self.line)

    @property
    def asked(self) -> str:
        """What was asked for."""
        return f"{self.line.method or '?'} {self.line.path or '?'}"


def sentence(subject: Subject) -> str:
    """Say why, in one sentence."""
    late = "; a delay was injected" if "DI" in subject.line.flags.split(",") else ""
    return _SENTENCES.get(subject.cause, _plain)(subject) + late


def declared(subject: Subject) -> tuple[str, str]:
    """Return what was declared that decided, and where; two empty texts where nothing of the author's did."""
    return _DECLARED.get(subject.cause, _nothing)(subject)


def _service(plan: Plan, name: str) -> Service | None:
    try:
        return plan.system.service(name)
    except DeclarationError:
        return None


def _endpoint(plan: Plan, line: HopLine) -> Endpoint | None:
    service, _, name = line.route.partition(".")
    found = _service(plan, service)
    return None if found is None else found.endpoint(name)


def _call(plan: Plan, line: HopLine) -> Call | None:
    caller = _service(plan, line.calls)
    declared = () if caller is None else caller.calls
    return next((c for c in declared if f"{c.service}.{c.endpoint}" == line.route), None)


def _plain(subject: Subject) -> str:
    return f"{_where(subject)} refused the request: {subject.meaning}" if subject.meaning else _unknown(subject)


def _where(subject: Subject) -> str:
    if subject.line.at_edge:
        return "the gateway"
    return f"the proxy of {subject.line.serves or subject.line.calls}"


def _unknown(subject: Subject) -> str:
    line = subject.line
    return f"Envoy answered {line.status} with flags {line.flags or '-'} and details {line.details or '-'}"


def _answered(subject: Subject) -> str:
    return f"{subject.line.route or subject.line.callee or 'the gateway'} answered {subject.line.status}"


def _by_service(subject: Subject) -> str:
    said = f" ({subject.meaning})" if subject.meaning else ""
    return f"{subject.line.route or subject.line.callee} itself answered {subject.line.status}{said}"


def _circuit(subject: Subject) -> str:
    return f"{subject.line.calls} did not call {subject.line.route}: {_whose_circuit(subject)} is open after failures"


def _whose_circuit(subject: Subject) -> str:
    """Name the circuit where it holds for more than the operation."""
    breaker = subject.call.breaker if subject.call else None
    shared = breaker is not None and breaker.circuit not in ("", subject.line.route)
    return f"the circuit {breaker.circuit}" if breaker and shared else "its circuit"


def _fallback(subject: Subject) -> str:
    line, kept = subject.line, subject.told is not None and subject.told.fallback == "cached"
    instead = f"with an earlier answer of {line.route}" if kept else f"with the fallback of {line.route}"
    open_ = subject.told is not None and subject.told.failure == CircuitOpen.__name__
    why = f"{_whose_circuit(subject)} is open after failures" if open_ else "the call failed"
    return f"{line.calls} went on {instead}: {why}"


def _no_route(subject: Subject) -> str:
    closest = _closest(subject)
    near = f"; the closest is {closest.method} {closest.path}" if closest else ""
    if subject.line.serves:
        return f"{subject.line.serves} has no operation {subject.asked}{near}"
    return f"nothing that the gateway serves is declared at {subject.asked}{near}"


def _wrong_method(subject: Subject) -> str:
    methods = ", ".join(sorted({endpoint.method for endpoint in _same_path(subject)}))
    return f"{subject.line.path} has no {subject.line.method}; declared there: {methods or 'nothing'}"


def _undeclared(subject: Subject) -> str:
    return f"{subject.line.calls} has not declared a call of {subject.line.authority} as {subject.asked}"


def _denied(subject: Subject) -> str:
    line = subject.line
    if not line.serves:
        return f"{_where(subject)} refused this caller: {_demands(subject)}"
    grants = subject.plan.service(line.serves).grants if subject.service else ()
    callers = [c for g in grants if f"{line.serves}.{g.endpoint}" == line.route for c in g.callers]
    if line.caller in callers:
        return f"{_name(line.caller)} may call {line.route}, but a further policy refused: {subject.meaning}"
    allowed = ", ".join(_name(caller) for caller in callers) or "nobody"
    return f"{_name(line.caller) or 'the caller'} may not call {line.route or subject.asked}; {allowed} may"


def _demands(subject: Subject) -> str:
    """Say what the operation asks of a principal."""
    access = subject.endpoint.access if subject.endpoint else None
    if access is None or not access.demands:
        return subject.meaning
    wanted = [f"one of the roles {', '.join(access.roles)}"] if access.roles else []
    wanted += [f"the scopes {', '.join(access.scopes)}"] if access.scopes else []
    wanted += ["certain claims"] if access.claims else []
    wanted += [f"one of the consumers {', '.join(access.consumers)}"] if access.consumers else []
    return f"{subject.line.route} asks for {' and '.join(wanted)}"


def _name(identity: str) -> str:
    return identity.rpartition("/")[2]


def _unauthenticated(subject: Subject) -> str:
    said = subject.meaning or "its token is not valid"
    if said == NO_TOKEN:
        keys = " and no known key in X-API-Key" if subject.plan.system.gateway.consumers else ""
        said = f"{said} in Authorization{keys}"
    return f"{subject.line.route or subject.asked} asks for a principal: {said}"


def _limited(subject: Subject) -> str:
    endpoint = subject.endpoint
    limit = endpoint.edge.limit if endpoint else None
    if endpoint is None or limit is None:
        return f"{subject.line.route or subject.asked} was asked for too often"
    whose = _WHOSE[limit.whose(signed_in=endpoint.access.kind == "principal")]
    bounds = f"{limit.requests} per {limit.per:g} s, {limit.size} at once, for {whose}"
    return f"{subject.line.route} was asked for more often than {bounds}"


def _timed_out(subject: Subject) -> str:
    line, timeout = subject.line, _timeout(subject.plan, subject.line)
    target = line.route or line.callee
    if timeout is None:
        return f"{target} gave no answer within {line.duration_ms} ms: {subject.meaning}"
    if not used_up(subject.plan, line):
        return f"{target} gave no answer within {line.duration_ms} ms, which was left of the caller's time"
    return f"{target} gave no answer within {timeout:g} s"


def used_up(plan: Plan, line: HopLine) -> bool:
    """Tell whether a hop waited for as long as is declared, and not only for what was left of its caller's time."""
    timeout = _timeout(plan, line)
    return timeout is not None and line.duration_ms >= timeout * 1000 * _NEARLY


def _timeout(plan: Plan, line: HopLine) -> float | None:
    call, endpoint = _call(plan, line), _endpoint(plan, line)
    if call is not None:
        return call.policy.timeout
    return None if endpoint is None else endpoint.policy.timeout


def _replicas(subject: Subject) -> str:
    known = subject.replicas.get(subject.line.callee, ())
    now = f" (now: {'; '.join(known)})" if known else ""
    return f"{subject.line.callee or 'the service'} could not be reached: {subject.meaning}{now}"


def _breaker(subject: Subject) -> str:
    if subject.service is None:
        return _plain(subject)
    traffic = subject.service.traffic
    bounds = f"{traffic.connections} connections, {traffic.pending} waiting, {traffic.requests} requests"
    return f"more was under way to {subject.service.name} than it takes at a time ({bounds})"


def _too_large(subject: Subject) -> str:
    endpoint = subject.endpoint
    if endpoint is None or "payload" not in subject.line.details:
        return _plain(subject)
    return f"the body is larger than the {endpoint.edge.largest} bytes that {subject.line.route} takes"


def _fault(subject: Subject) -> str:
    return f"a fault was injected between {_caller(subject)} and {subject.line.callee or 'the service'}"


def _caller(subject: Subject) -> str:
    return subject.line.calls or _name(subject.line.caller) or GATEWAY


def _same_path(subject: Subject) -> list[Endpoint]:
    wanted = subject.line.route.partition(" ")[2]
    return [e for s in subject.plan.system.services for e in s.endpoints if e.exposed and shape(e.path) == wanted]


def _closest(subject: Subject) -> Endpoint | None:
    """Find the declared operation whose path looks most like what was asked for."""
    services = [subject.service] if subject.line.serves and subject.service else list(subject.plan.system.services)
    served = [e for s in services for e in s.endpoints if subject.line.serves or e.exposed]
    near = difflib.get_close_matches(subject.line.path, [e.path for e in served], n=1, cutoff=0.5)
    found = [e for e in served if near and e.path == near[0]]
    return next((e for e in found if e.method == subject.line.method), found[0] if found else None)


def _of_endpoint(subject: Subject) -> tuple[str, str]:
    endpoint = subject.endpoint
    if endpoint is None:
        return _nothing(subject)
    what = _ASPECT.get(subject.cause, "the operation")
    return f"{what} {subject.line.route}", endpoint.source


_ASPECT: dict[Cause, str] = {
    "unauthenticated": "the access of",
    "denied": "the access of",
    "limited": "the limit of",
    "too-large": "the largest body of",
    "timed-out": "the timeout of",
    "retired": "the version of",
}


def _of_call(subject: Subject) -> tuple[str, str]:
    if subject.call is None:
        return _of_endpoint(subject)
    return f"the call of {subject.line.route} by {subject.line.calls}", subject.call.source


def _of_breaker(subject: Subject) -> tuple[str, str]:
    breaker = subject.call.breaker if subject.call else None
    if breaker is None or not breaker.source:
        return _of_call(subject)
    return f"the breaker of {subject.line.route} in {subject.line.calls}", breaker.source


def _of_fallback(subject: Subject) -> tuple[str, str]:
    breaker = subject.call.breaker if subject.call else None
    if breaker is None or not breaker.fallback_source or (subject.told and subject.told.fallback == "cached"):
        return _of_breaker(subject)
    return f"the fallback of {subject.line.route} in {subject.line.calls}", breaker.fallback_source


def _of_service(subject: Subject) -> tuple[str, str]:
    if subject.service is None:
        return _nothing(subject)
    return f"the service {subject.service.name} and its traffic", subject.service.source


def _of_caller(subject: Subject) -> tuple[str, str]:
    caller = _service(subject.plan, subject.line.calls)
    return (f"the service {caller.name}, whose calls are declared", caller.source) if caller else _nothing(subject)


def _of_same_path(subject: Subject) -> tuple[str, str]:
    found = _same_path(subject)
    return (f"{found[0].method} {found[0].path}", found[0].source) if found else _nothing(subject)


def _of_closest(subject: Subject) -> tuple[str, str]:
    closest = _closest(subject)
    return (f"the closest, {closest.method} {closest.path}", closest.source) if closest else _nothing(subject)


def _nothing(_: Subject) -> tuple[str, str]:
    return "", ""


_SENTENCES: Mapping[Cause, Callable[[Subject], str]] = {
    "answered": _answered,
    "service": _by_service,
    "no-route": _no_route,
    "wrong-method": _wrong_method,
    "undeclared": _undeclared,
    "unauthenticated": _unauthenticated,
    "denied": _denied,
    "limited": _limited,
    "timed-out": _timed_out,
    "no-replica": _replicas,
    "ejected": _replicas,
    "refused": _replicas,
    "reset": _replicas,
    "bad-answer": _replicas,
    "breaker-open": _breaker,
    "circuit-open": _circuit,
    "fallback": _fallback,
    "too-large": _too_large,
    "fault": _fault,
    "unknown": _unknown,
}

_DECLARED: Mapping[Cause, Callable[[Subject], tuple[str, str]]] = {
    "answered": _of_endpoint,
    "service": _of_endpoint,
    "no-route": _of_closest,
    "wrong-method": _of_same_path,
    "undeclared": _of_caller,
    "unauthenticated": _of_endpoint,
    "denied": _of_endpoint,
    "limited": _of_endpoint,
    "too-large": _of_endpoint,
    "retired": _of_endpoint,
    "timed-out": _of_call,
    "no-replica": _of_service,
    "ejected": _of_service,
    "refused": _of_service,
    "reset": _of_endpoint,
    "bad-answer": _of_endpoint,
    "breaker-open": _of_service,
    "circuit-open": _of_breaker,
    "fallback": _of_fallback,
    "overloaded": _of_service,
    "fault": _of_endpoint,
    "unknown": _of_endpoint,
}
