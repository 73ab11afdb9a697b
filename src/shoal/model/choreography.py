"""Choreography as the model understands it: which events lead where, which failures are undone by whom."""

from collections.abc import Callable, Iterable, Mapping

from shoal.model.data import Data
from shoal.model.finding import Finding
from shoal.model.service import Event, Service
from shoal.model.system import System

LISTENING = frozenset({"cache", "journal"})
"""Handlers that the framework adds: they end kept answers, wake streams and keep read models, and undo nothing."""


class Step(Data, frozen=True, kw_only=True):
    """One handler, and what may follow from it."""

    service: str
    handler: str
    hears: str
    """Event id."""
    leads_to: tuple[str, ...]
    """Event ids; with `known` all that it may publish, else whatever its service publishes."""
    known: bool
    source: str = ""

    @property
    def name(self) -> str:
        """Service and handler."""
        return f"{self.service}.{self.handler}"


class Undoing(Data, frozen=True, kw_only=True):
    """What an earlier service learns of a failure."""

    service: str
    by: tuple[str, ...]
    """Its handlers of the failure, as ``service.handler``; empty when it hears of it by no event."""
    through: tuple[str, ...] = ()
    """The events by which it hears of it indirectly, in their order."""


class Failure(Data, frozen=True, kw_only=True):
    """A failure event, and who undoes what was done before it."""

    event: str
    source: str
    undone: tuple[Undoing, ...]
    """One for each service that did something before it, in the order of the system."""
    heard: tuple[str, ...]
    """Every handler of it."""

    @property
    def compensated(self) -> bool:
        """Whether somebody undoes something: a service of an earlier step, or, without earlier steps, anybody."""
        return any(u.by and not u.through for u in self.undone) if self.undone else bool(self.heard)


class Flow(Data, frozen=True, kw_only=True):
    """The choreography of a system."""

    roots: tuple[str, ...]
    """Events that nothing else leads to: requests, schedules and sagas announce them."""
    steps: tuple[Step, ...]
    failures: tuple[Failure, ...]


def flow(system: System) -> Flow:
    """Read the choreography from the declarations."""
    steps = tuple(step for service in system.services for step in _steps(service))
    events = [(service, event) for service in system.services for event in service.publishes]
    led_to = {event for step in steps for event in step.leads_to}
    return Flow(
        roots=tuple(event.id for _, event in events if event.id not in led_to),
        steps=steps,
        failures=tuple(_failure(system, steps, event) for _, event in events if event.failure),
    )


def in_order(found: Flow) -> tuple[str, ...]:
    """List the events as they follow each other, beginning with the roots."""
    listed = list(dict.fromkeys(found.roots))
    for event in listed:  # grows while it is read
        listed += [e for step in found.steps if step.hears == event for e in step.leads_to if e not in listed]
    return tuple(dict.fromkeys([*listed, *(event for step in found.steps for event in (step.hears, *step.leads_to))]))


def findings(system: System) -> list[Finding]:
    """Name the failures that nobody undoes."""
    return [
        Finding(
            code="PLAN-SAGA-01",
            severity="warning",
            where=failure.source,
            message=f"{failure.event} is a failure, and {_unaware(failure)}",
            help="handle it in a service that did an earlier step, or declare it without failure=True",
        )
        for failure in flow(system).failures
        if not failure.compensated
    ]


def _unaware(failure: Failure) -> str:
    names = ", ".join(undoing.service for undoing in failure.undone)
    return f"no service that acted before it handles it: {names}" if names else "no service handles it"


def _steps(service: Service) -> Iterable[Step]:
    published = tuple(event.id for event in service.publishes)
    for subscription in service.subscriptions:
        yield Step(
            service=service.name,
            handler=subscription.handler,
            hears=subscription.event,
            leads_to=published if subscription.leads_to is None else subscription.leads_to,
            known=subscription.leads_to is not None or not published,
            source=subscription.source,
        )


def _failure(system: System, steps: tuple[Step, ...], event: Event) -> Failure:
    done = _before(steps, event.id)
    heard = tuple(step.name for step in steps if step.hears == event.id)
    earlier = [s for s in system.services if s.name in done and s.name != event.owner]
    return Failure(
        event=event.id,
        source=event.source,
        heard=heard,
        undone=tuple(_undoing(steps, event.id, service.name) for service in earlier),
    )


def _before(steps: tuple[Step, ...], event: str) -> set[str]:
    """Collect the services that published something on a way to an event.

    A way ends where it comes back to the event: what follows from a failure is no step before it.
    """
    later = _closure({event}, {e: _following(steps, e) for e in _all(steps)})
    causes: dict[str, set[str]] = {}
    for step in steps:
        for following in step.leads_to:
            causes.setdefault(following, set()).add(step.hears)
    found = _closure({event}, causes, stop=lambda cause: cause in later and cause != event)
    return {cause.partition(".")[0] for cause in found - {event}}


def _undoing(steps: tuple[Step, ...], failure: str, service: str) -> Undoing:
    """Find how a service hears of a failure: by the event itself, or by the shortest way of events that follow."""
    waiting: list[tuple[str, ...]] = [(failure,)]
    seen = {failure}
    while waiting:
        way = waiting.pop(0)
        heard = [step for step in steps if step.hears == way[-1] and step.service == service]
        handlers = tuple(step.name for step in heard if step.handler not in LISTENING)
        if handlers:
            return Undoing(service=service, by=handlers, through=way[1:])
        following = [event for event in sorted(_following(steps, way[-1])) if event not in seen]
        seen.update(following)
        waiting += [(*way, event) for event in following]
    return Undoing(service=service, by=())


def _all(steps: tuple[Step, ...]) -> set[str]:
    return {event for step in steps for event in (step.hears, *step.leads_to)}


def _following(steps: tuple[Step, ...], event: str) -> set[str]:
    return {following for step in steps if step.hears == event for following in step.leads_to}


def _closure(
    start: set[str], nexts: Mapping[str, set[str]], *, stop: Callable[[str], bool] = lambda _: False
) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        for event in nexts.get(waiting.pop(), set()):
            if event not in found and not stop(event):
                found.add(event)
                waiting.append(event)
    return found
