"""Topics and queues, exactly as `shoal.drivers.sns` makes and expects them."""

import math
from collections.abc import Iterator

from shoal.deploy.aws.resources import Queue, Resource, Topic
from shoal.deploy.aws.scope import Scope

LETTERS = "_letters"
"""Consumer of all that stays until it is removed."""

HELD = 30
"""Seconds for which letters are hidden from others who read."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make a topic for each stream, and a queue for each consumer."""
    if not scope.operated:
        return
    for stream in scope.plan.streams:
        yield Topic(name=stream.name)
        if stream.letters:
            why = "Dead letters, until somebody removes them or fourteen days have gone."
            yield Queue(
                name=f"{stream.name}-{LETTERS}", topic=stream.name, consumer="", hidden=HELD, subjects=(), why=why
            )
    for service in scope.plan.services:
        for one in service.broker.consumers if service.broker is not None else ():
            yield Queue(
                name=f"{one.stream}-{one.durable}",
                service=service.name,
                topic=one.stream,
                consumer=one.durable,
                hidden=max(1, math.ceil(one.ack_wait)),
                subjects=one.subjects,
                part=one.stream,
            )
