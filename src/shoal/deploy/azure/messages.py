"""Topics and subscriptions, exactly as `shoal.drivers.servicebus` makes and expects them.

Files own them, so that rights can name them. Since when a subscription hears is written down by the operator's job, and
so is what a subscription hears beyond its rules.
"""

from collections.abc import Iterator

from shoal.deploy.azure import naming
from shoal.deploy.azure.resources import Bus, Subscription, Topic
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource
from shoal.model.messages import KEPT
from shoal.model.plan import ConsumerPlan

REGISTRY = "shoal.declared"
"""Topic in which it is written down what there is."""

LETTERS = "shoal.letters"
"""Subscription that keeps what is published until it is removed."""

DELIVERIES = 2000
LETTERS_LOCK, LEAST_LOCK, MOST_LOCK = 30, 15, 300
RULES = 50
"""Subjects of a consumer that are rules of its subscription; with more of them it gets all."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make a topic for each stream, and a subscription for each consumer."""
    if not scope.users("servicebus"):
        return
    yield Bus(name="main", tier=scope.environment.engines.servicebus)
    yield Topic(name=REGISTRY, seconds=0, why="What there is, for everybody who publishes or hears.")
    yield _letters(REGISTRY, "Kept until somebody removes it.")
    for stream in scope.plan.streams:
        yield Topic(name=stream.name, seconds=0 if stream.letters else int(KEPT))
        if stream.letters:
            yield _letters(stream.name, "Dead letters, until somebody removes them.")
    lasting = {stream.name for stream in scope.plan.streams if stream.letters}
    for service in scope.plan.services:
        for one in service.broker.consumers if service.broker is not None else ():
            yield _consumer(one, service.name, lasts=one.stream in lasting)


def _letters(topic: str, why: str) -> Subscription:
    return Subscription(
        name=f"{topic}/{LETTERS}",
        topic=topic,
        key=LETTERS,
        lock=LETTERS_LOCK,
        seconds=0,
        deliveries=DELIVERIES,
        why=why,
    )


def _consumer(one: ConsumerPlan, service: str, *, lasts: bool) -> Subscription:
    exact = len(one.subjects) <= RULES and not any("*" in subject or ">" in subject for subject in one.subjects)
    return Subscription(
        name=named(one),
        service=service,
        topic=one.stream,
        key=naming.subscription(one.durable),
        lock=int(min(MOST_LOCK, max(LEAST_LOCK, one.ack_wait))),
        seconds=0 if lasts else int(KEPT),
        deliveries=DELIVERIES,
        subjects=tuple(sorted({*one.subjects})) if exact else (),
    )


def named(one: ConsumerPlan) -> str:
    """Name the subscription of a consumer, apart from all others."""
    return f"{one.stream}/{one.durable}"
