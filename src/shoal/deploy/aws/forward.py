"""Events for who is outside of the system: from their topics by a queue and a pipe onto a bus of EventBridge.

A pipe reads a queue, which a bus and an ordered topic do not offer each other (EventBridge user guide, "Pipes
sources", "Pipes targets"). A bus keeps no order, so services of the system hear their queues as ever. Nobody is let
onto the bus here: whoever is to hear it has a rule of theirs.
"""

from collections.abc import Iterator

from shoal.deploy.aws.resources import Bus, Pipe, Queue, Resource, Right, Role
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.findings import Say
from shoal.deploy.cloud.values import Ref
from shoal.model import names
from shoal.model.finding import Finding
from shoal.model.service import Event

FORWARD = "_forward"
"""Consumer of what goes out; no service is called so."""

HELD = 60
"""Seconds for which a pipe has a message in hand."""

OUTSIDE = "outside"
"""Name of the bus, and of the role of its pipes."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make a bus, and a queue and a pipe for each stream of which something goes out."""
    chosen = _chosen(scope)
    if not chosen or not scope.operated:
        return
    yield Bus(name=OUTSIDE, why="Who is outside hears it by a rule; the order of a key ends here.")
    queues: list[str] = []
    for owner in dict.fromkeys(event.owner for event in chosen):
        stream = names.stream(scope.system, owner)
        ids = [event.id for event in chosen if event.owner == owner]
        subjects = tuple(names.subject(scope.system, one, part) for one in ids for part in range(names.PARTS))
        queue = f"{stream}-{FORWARD}"
        yield Queue(name=queue, topic=stream, consumer=FORWARD, hidden=HELD, subjects=subjects)
        yield Pipe(name=owner, queue=queue, bus=OUTSIDE, role=OUTSIDE, events=tuple(ids))
        queues.append(queue)
    yield Role(name=OUTSIDE, trusts="pipes", rights=tuple(_rights(queues)))


def findings(scope: Scope, say: Say) -> Iterator[Finding]:
    """Say what cannot go out, and what nobody outside can read."""
    known = _published(scope)
    personal = {field.rpartition(".")[0] for one in scope.plan.system.services for field in one.personal}
    for name in scope.environment.forward:
        event = known.get(name)
        if event is None:
            message = f"{scope.environment.name} forwards {name}, which no service publishes"
            yield say("42", "error", message, f"events are: {', '.join(sorted(known)) or 'none'}")
        elif event.mode == "binary":
            message = f"{name} travels in binary mode, in which a pipe does not see its type"
            yield say("43", "error", message, "declare it without mode='binary', or do not forward it", event.source)
        elif name in personal:
            message = f"personal data in {name} is sealed: who hears it outside cannot read it"
            yield say("44", "info", message, "publish what they may know as an event of its own", event.source)
    if scope.environment.forward and not scope.operated:
        message = f"events of {scope.environment.name} do not go out: their broker is not SNS"
        yield say("42", "error", message, "leave forward out, or choose no other broker")


def _chosen(scope: Scope) -> list[Event]:
    known = _published(scope)
    return [known[name] for name in dict.fromkeys(scope.environment.forward) if name in known]


def _published(scope: Scope) -> dict[str, Event]:
    return {event.id: event for service in scope.plan.system.services for event in service.publishes}


def _rights(queues: list[str]) -> Iterator[Right]:
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    yield Right(actions=actions, resources=tuple(Ref("queue", queue) for queue in queues))
    yield Right(actions=("events:PutEvents",), resources=(Ref("bus", OUTSIDE),))
