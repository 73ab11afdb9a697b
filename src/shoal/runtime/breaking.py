"""Circuit breakers around the calls of one process, and what answers while they are open."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args

import msgspec

from shoal.errors import CallFailed, CallTimedOut, CircuitOpen
from shoal.model.breaker import Breaker
from shoal.runtime.circuit import Circuit, State
from shoal.runtime.metrics.catalog import OUTCOME
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.trace import current
from shoal.service.breaking import Guard, StandIn, note
from shoal.service.marks import Operation
from shoal.telemetry.measures import Attributes, Point

T = TypeVar("T")

_log = logging.getLogger("shoal.circuit")
_used = logging.getLogger("shoal.fallback")

KEPT = 1000
"""Most answers that are kept of one operation."""

FAIR = 0.5
"""Share of its own time that a call must have had for a timeout to be the callee's fault.

Not all of it: a caller that may take as long as the callee has always spent some when it calls.
"""

_Outcome = Literal["answered", "failed", "refused", "short", "abandoned"]

_NUMBERS: Mapping[State, int] = {"closed": 0, "half-open": 1, "open": 2}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; two that are equal have the same answer."""

    path: str
    headers: tuple[tuple[str, str], ...]
    authorization: str


class _Kept(msgspec.Struct, frozen=True):
    at: float
    answer: Any
    """As it came: what is read of it belongs to whoever asked, who may change it."""


class Switch:
    """One circuit of this process: lets calls through, counts how they end, and tells of its turns."""

    def __init__(self, breaker: Breaker, seconds: Callable[[], float]) -> None:
        self.name, self.seconds = breaker.circuit, seconds
        self.circuit = Circuit(breaker)
        self.calls: dict[_Outcome, int] = dict.fromkeys(get_args(_Outcome), 0)
        self.turns: dict[State, int] = dict.fromkeys(_NUMBERS, 0)

    async def through(self, target: str, ask: Callable[[], Awaitable[T]], own: float) -> T:
        """Make a call that may take `own` seconds, or raise `CircuitOpen` without making it."""
        before, late = self.circuit.state, _fault(own)
        period = self.circuit.admit(self.seconds())
        self._tell(before)
        if not period:
            self.calls["short"] += 1
            wait = self.circuit.wait(self.seconds())
            raise CircuitOpen(target, detail=f"the circuit {self.name} is open", after=wait)
        try:
            answer = await ask()
        except CallFailed as error:
            outage: _Outcome = late if isinstance(error, CallTimedOut) else "failed"
            self._ended(period, outage if shows_outage(error) else "refused", error)
            raise
        except asyncio.CancelledError:
            self._ended(period, late if _is_late() else "abandoned")
            raise
        except BaseException:
            self._ended(period, "abandoned")
            raise
        self._ended(period, "answered")
        return answer

    def _ended(self, period: int, outcome: _Outcome, error: CallFailed | None = None) -> None:
        """Count how a call ended."""
        before, now = self.circuit.state, self.seconds()
        self.calls[outcome] += 1
        if outcome == "abandoned":
            self.circuit.abandoned(period)
        elif outcome == "failed":
            self.circuit.failed(period, now)
        else:
            self.circuit.succeeded(period, now)
        self._tell(before, str(error) if error is not None else outcome)

    def _tell(self, before: State, reason: str = "") -> None:
        state = self.circuit.state
        if state != before:
            self.turns[state] += 1
            level = logging.WARNING if state == "open" else logging.INFO
            said = {"circuit": self.name, "state": state, "reason": reason}
            _log.log(level, "circuit %s is %s", self.name, state, extra=said)


def shows_outage(error: CallFailed) -> bool:
    """Say whether a failure shows that the callee does not work; what it refuses (4xx) shows that it does."""
    return not 400 <= error.status < 500


def _fault(own: float) -> _Outcome:
    """Say what a timeout of a call that begins now would mean: one whose caller has no time left shows nothing."""
    context = current.get()
    return "failed" if context is None or context.budget.remaining() >= own * FAIR else "abandoned"


def _is_late() -> bool:
    """Say whether the present work was cancelled because its time is over."""
    context = current.get()
    return context is not None and context.budget.remaining() <= 0


class Guarded:
    """One operation behind its circuit, with what answers instead."""

    def __init__(self, operation: Operation, guard: Guard, switch: Switch) -> None:
        self.target = f"{operation.service}.{operation.name}"
        self.timeout = min(operation.policy.timeout, guard.breaker.timeout or operation.policy.timeout)
        self.used = {"cached": 0, "default": 0}
        self._switch, self._function = switch, guard.function
        self._lasting = guard.breaker.cached
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()

    async def call(
        self,
        question: Question,
        ask: Callable[[], Awaitable[T]],
        read: Callable[[T], Any],
        arguments: Mapping[str, Any],
    ) -> Any:
        """Ask the callee; where that shows an outage, answer from what is kept, or by the fallback function."""

        async def once() -> Any:
            answer = await ask()
            value = read(answer)
            self._keep(question, answer)
            return value

        try:
            return await self._switch.through(self.target, once, self.timeout)
        except CallFailed as error:
            if not shows_outage(error):
                raise
            kept = self._kept.get(question)
            age = self._switch.seconds() - kept.at if kept is not None else 0.0
            if kept is not None and age <= self._lasting:
                self._note("cached", age, error)
                return read(kept.answer)
            if self._function is None:
                self._tell_short(error)
                raise
            value = await self._function(**arguments)
            self._note("default", 0.0, error)
            return value

    def _keep(self, question: Question, answer: object) -> None:
        if self._lasting:
            self._kept[question] = _Kept(self._switch.seconds(), answer)
            self._kept.move_to_end(question)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _tell_short(self, error: CallFailed) -> None:
        """Tell of a call that was not made: who catches that answers as if nothing had happened."""
        if isinstance(error, CircuitOpen):
            said = {"call": self.target, "failure": type(error).__name__}
            _log.info("%s was not called: %s", self.target, error, extra=said)

    def _note(self, kind: Any, age: float, error: CallFailed) -> None:
        self.used[kind] += 1
        note(StandIn(call=self.target, kind=kind, age=age, reason=str(error)))
        said = {"call": self.target, "fallback": kind, "failure": type(error).__name__}
        _used.info("fallback (%s) instead of %s: %s", kind, self.target, error, extra=said)


class Switchboard:
    """Every circuit of one service in this process."""

    def __init__(self, guard_of: Callable[[Operation], Guard | None], seconds: Callable[[], float]) -> None:
        self._guard_of, self._seconds = guard_of, seconds
        self._switches: dict[str, Switch] = {}
        self._guarded: dict[str, Guarded] = {}

    def guarded(self, operation: Operation) -> Guarded | None:
        """Return what guards an operation; None when nothing was declared, and its calls cost nothing more."""
        guard = self._guard_of(operation)
        if guard is None:
            return None
        name = guard.breaker.circuit
        switch = self._switches.setdefault(name, Switch(guard.breaker, self._seconds))
        made = Guarded(operation, guard, switch)
        return self._guarded.setdefault(made.target, made)

    def show(self, metrics: Metrics) -> None:
        """Let the metrics tell of every circuit."""
        metrics.watch("shoal.circuit.state", lambda: self._told(lambda s: (((), _NUMBERS[s.circuit.state]),)))
        metrics.watch("shoal.circuit.calls", lambda: self._told(lambda s: _split(OUTCOME, s.calls)))
        metrics.watch("shoal.circuit.turns", lambda: self._told(lambda s: _split("shoal.circuit.state", s.turns)))
        metrics.watch("shoal.fallbacks", self._fallbacks)

    def _told(self, of: Callable[[Switch], Iterable[tuple[Attributes, int]]]) -> Iterable[Point]:
        for name, switch in sorted(self._switches.items()):
            yield from (Point((("shoal.circuit", name), *more), value) for more, value in of(switch))

    def _fallbacks(self) -> Iterable[Point]:
        for call, guarded in sorted(self._guarded.items()):
            for kind, count in guarded.used.items():
                yield Point((("shoal.call", call), ("shoal.fallback", kind)), count)


def _split(key: str, counts: Mapping[Any, int]) -> Iterable[tuple[Attributes, int]]:
    return ((((key, part),), count) for part, count in counts.items())
