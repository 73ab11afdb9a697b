"""The states of a circuit breaker, under every order of calls and answers."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from shoal.model.breaker import Breaker
from shoal.runtime.circuit import Circuit

BREAKER = Breaker(circuit="c", error_threshold=50, volume_threshold=4, reset_timeout=5, window=10)


def state(circuit: Circuit) -> str:
    return circuit.state


def fail(circuit: Circuit, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        period = circuit.admit(now)
        assert period
        circuit.failed(period, now)


def opened(now: float = 0.0) -> Circuit:
    circuit = Circuit(BREAKER)
    fail(circuit, BREAKER.volume_threshold, now)
    return circuit


def test_below_the_volume_nothing_is_concluded() -> None:
    circuit = Circuit(BREAKER)
    fail(circuit, 3)
    assert state(circuit) == "closed"
    fail(circuit, 1)
    assert state(circuit) == "open"
    assert not circuit.admit(4.9)


def test_below_the_threshold_it_stays_closed() -> None:
    circuit = Circuit(BREAKER)
    for turn in range(100):
        period = circuit.admit(0)
        (circuit.failed if turn % 5 < 2 and turn > 5 else circuit.succeeded)(period, 0)
    assert state(circuit) == "closed"


def test_what_left_the_window_is_forgotten() -> None:
    circuit = Circuit(BREAKER)
    fail(circuit, 3, now=0)
    fail(circuit, 3, now=10.1)
    assert state(circuit) == "closed"
    fail(circuit, 1, now=19.0)
    assert state(circuit) == "open"


def test_one_call_at_a_time_looks_whether_it_is_over() -> None:
    circuit = opened()
    probe = circuit.admit(5.0)
    assert probe
    assert state(circuit) == "half-open"
    assert not circuit.admit(60.0)
    circuit.failed(probe, 6.0)
    assert state(circuit) == "open"
    assert not circuit.admit(10.9)
    probe = circuit.admit(11.0)
    circuit.succeeded(probe, 11.0)
    assert state(circuit) == "closed"
    fail(circuit, 3, now=11.0)
    assert state(circuit) == "closed"


def test_a_look_that_nobody_waited_for_is_repeated_by_the_next() -> None:
    circuit = opened()
    circuit.abandoned(circuit.admit(5.0))
    assert state(circuit) == "half-open"
    assert circuit.admit(5.0)
    assert not circuit.admit(5.0)


def test_answers_to_what_was_asked_before_it_opened_change_nothing() -> None:
    circuit = Circuit(BREAKER)
    early = [circuit.admit(0) for _ in range(3)]
    fail(circuit, 4)
    probe = circuit.admit(5.0)
    circuit.succeeded(early[0], 5.0)
    assert state(circuit) == "half-open"
    circuit.failed(early[1], 5.0)
    circuit.abandoned(early[2])
    assert state(circuit) == "half-open"
    assert not circuit.admit(5.0)
    circuit.succeeded(probe, 5.0)
    assert state(circuit) == "closed"


def test_what_is_rounded_makes_nobody_wait_longer() -> None:
    circuit, now = Circuit(BREAKER), 12.637271067615918  # now + 5 - now is more than 5
    for _ in range(4):
        circuit.failed(circuit.admit(now), now)
    assert circuit.wait(now) == BREAKER.reset_timeout


class Machine(RuleBasedStateMachine):
    """Any calls, in any order, ending in any way, or never."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit(BREAKER)
        self.now = 0.0
        self.opened = float("-inf")
        self.probes = 0
        self.probing: object = None
        self.results: list[tuple[float, bool]] = []
        """Ends since the circuit last closed."""

    @rule(seconds=st.floats(0, 7))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=calls)
    def ask(self) -> tuple[int, object]:
        before = self.circuit.state
        period = self.circuit.admit(self.now)
        if before == "open":
            assert bool(period) == (self.now - self.opened >= BREAKER.reset_timeout)
        if before == "closed":
            assert period
        call: tuple[int, object] = (period, object())
        if period and self.circuit.state == "half-open":
            assert self.probing is None
            self.probing = call
        return call

    @rule(call=consumes(calls), good=st.booleans())
    def end(self, call: tuple[int, object], good: bool) -> None:
        if not call[0]:
            return
        before = self.circuit.state
        (self.circuit.succeeded if good else self.circuit.failed)(call[0], self.now)
        if call is self.probing:
            self.probing = None
            assert self.circuit.state == ("closed" if good else "open")
        elif before != "closed":
            assert self.circuit.state == before
        if self.circuit.state == "open" and before != "open":
            self.opened = self.now

    @rule(call=consumes(calls))
    def abandon(self, call: tuple[int, object]) -> None:
        before = self.circuit.state
        if call[0]:
            self.circuit.abandoned(call[0])
        self.probing = None if call is self.probing else self.probing
        assert self.circuit.state == before

    @invariant()
    def nobody_waits_longer_than_the_reset(self) -> None:
        assert 0 <= self.circuit.wait(self.now) <= BREAKER.reset_timeout


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(
    st.integers(1, 30),
    st.floats(1, 100),
    st.lists(st.booleans(), max_size=60),
)
def test_it_opens_at_the_first_call_that_reaches_both_thresholds(volume: int, share: float, ends: list[bool]) -> None:
    breaker = Breaker(circuit="c", volume_threshold=volume, error_threshold=share)
    circuit, failed = Circuit(breaker), 0
    for count, good in enumerate(ends, start=1):
        period = circuit.admit(0)
        failed += not good
        (circuit.succeeded if good else circuit.failed)(period, 0)
        due = not good and count >= volume and failed * 100 >= count * share
        assert state(circuit) == ("open" if due else "closed")
        if due:
            break
