"""Topics and subscriptions, exactly as `shoal.drivers.pubsub` makes and expects them."""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence

from shoal.deploy.gcp.resources import Resource, Subscription, Topic
from shoal.deploy.gcp.scope import Scope
from shoal.model.messages import KEPT

LETTERS, TURN = "_letters", "_turn"
"""Consumer of all that stays until it is removed, and topic of the one message that says whose turn it is to read."""

LEAST_DEADLINE, MOST_DEADLINE = 10, 600
LEAST_KEEPING, KEEPING = 600, 31 * 86_400
_NAME, _FILTER = 255, 256


def make(scope: Scope) -> Iterator[Resource]:
    """Make a topic for each stream, and a subscription for each consumer; both regions have the same."""
    if scope.passive or not scope.users("pubsub"):
        return
    for stream in scope.plan.streams:
        yield Topic(name=stream.name, regions=scope.regions)
        if stream.letters:
            yield from _letters(scope, stream.name)
    staying = {stream.name for stream in scope.plan.streams if stream.letters}
    for service in scope.plan.services:
        for one in service.broker.consumers if service.broker is not None else ():
            yield Subscription(
                name=named(one.stream, one.durable),
                service=service.name,
                topic=one.stream,
                consumer=one.durable,
                deadline=min(MOST_DEADLINE, max(LEAST_DEADLINE, math.ceil(one.ack_wait))),
                keeping=KEEPING if one.stream in staying else max(LEAST_KEEPING, min(KEEPING, int(KEPT))),
                filter=filtered(one.subjects),
                part=one.stream,
            )


def _letters(scope: Scope, stream: str) -> Iterator[Resource]:
    turn = named(stream, TURN)
    why = "Dead letters, until somebody removes them or 31 days have gone."
    yield Subscription(
        name=named(stream, LETTERS), topic=stream, consumer="", deadline=LEAST_DEADLINE, keeping=KEEPING, why=why
    )
    why = "Whose turn it is to read the letters. The operator's job makes its subscription, and lets the first have it."
    yield Topic(name=turn, regions=scope.regions, why=why)


def named(stream: str, consumer: str) -> str:
    """Name the subscription of a consumer, as the driver does."""
    name = f"{stream}.{consumer}"
    return name if len(name) <= _NAME else f"{stream[:64]}.{hashlib.sha256(name.encode()).hexdigest()}"


def filtered(subjects: Sequence[str]) -> str:
    """Write the filter of a subscription, as the driver does: of the last word, where all have the same."""
    words = {subject.rpartition(".")[2] for subject in subjects}
    word = words.pop() if len(words) == 1 else "*"
    text = f'attributes.tail = "{word}"'
    return "" if word in ("*", ">") or len(text) > _FILTER or re.search(r'["\\]', word) else text
