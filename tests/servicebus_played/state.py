"""What a namespace has: topics, subscriptions, their one session each, and who may do what."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proton import timestamp

from shoal.drivers.servicebus.engine import Carried, decode

FOREVER = 1e12


@dataclass(eq=False, slots=True)
class Stored:
    """A message in a subscription."""

    number: int
    carried: Carried
    at: float
    ends: float
    deliveries: int = 0
    deferred: bool = False

    def shown(self) -> Carried:
        """Return it with what Service Bus writes on it."""
        own = {
            "x-opt-sequence-number": self.number,
            "x-opt-enqueued-time": timestamp(int(self.at * 1000)),
            "x-opt-message-state": 1 if self.deferred else 0,
        }
        found = self.carried
        return Carried(
            body=found.body, id=found.id, subject=found.subject, group=found.group, properties=found.properties,
            annotations={**found.annotations, **own}, deliveries=self.deliveries,
        )  # fmt: skip


@dataclass(eq=False, slots=True)
class Session:
    """The messages of a group in a subscription, which one link at a time may take."""

    holder: Any = None
    until: float = 0.0
    taken: dict[int, Stored] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Subscription:
    """What a hearer has."""

    lock: float
    ttl: float
    most: int
    rules: dict[str, str] = field(default_factory=lambda: {"$Default": ""})
    """Label that each lets through; all when it is empty."""
    messages: dict[int, Stored] = field(default_factory=dict)
    dead: list[Stored] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    last: int = 0

    def put(self, carried: Carried, now: float, ttl: float) -> None:
        """Take a message that a rule lets through."""
        if any(label in ("", carried.subject) for label in self.rules.values()):
            self.last += 1
            self.messages[self.last] = Stored(self.last, carried, now, now + min(ttl, self.ttl))

    def session(self, group: str) -> Session:
        return self.sessions.setdefault(group, Session())

    def next(self, group: str, now: float) -> Stored | None:
        """Take the first message of a session that nobody has in hand."""
        session = self.session(group)
        for number, stored in [*self.messages.items()]:
            if stored.ends <= now:
                del self.messages[number]
            elif stored.carried.group == group and number not in session.taken and not stored.deferred:
                session.taken[number] = stored
                return stored
        return None

    def give_back(self, session: Session, *, counted: bool) -> None:
        """Let the next one have a session; its messages were delivered in vain if the time of the lock was over."""
        for stored in session.taken.values() if counted else ():
            self.count(stored)
        session.holder, session.taken = None, {}

    def count(self, stored: Stored) -> None:
        """Take note that a message was in a hand in vain."""
        stored.deliveries += 1
        if stored.deliveries >= self.most:
            self.dead.append(self.messages.pop(stored.number, stored))


@dataclass(eq=False, slots=True)
class Topic:
    """Where messages are sent."""

    ttl: float = FOREVER
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


Rights = Mapping[str, frozenset[str]]
"""What may be done (``send``, ``listen``, ``manage``), by how the name of an entity begins."""


@dataclass(eq=False, slots=True)
class Namespace:
    """All of it."""

    policies: dict[str, tuple[str, Rights]] = field(default_factory=dict)
    """Key and rights, by name."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Policy that stands for the rights of who has a token of the platform."""
    topics: dict[str, Topic] = field(default_factory=dict)
    refused: Callable[[Carried], tuple[str, str] | None] = lambda _: None
    """Why a message is not taken; None when it is."""
    severed: bool = True
    """Whether a session is free at once when the connection of its holder breaks; else when its time is over."""
    asleep: bool = False
    """Whether messages are taken without a word."""
    largest: int = 256 * 1024

    def find(self, entity: str) -> Topic | Subscription | None:
        """Look up a topic, or a subscription."""
        name, _, subscription = entity.partition("/Subscriptions/")
        topic = self.topics.get(name)
        return topic.subscriptions.get(subscription) if topic is not None and subscription else topic

    def publish(self, topic: Topic, data: bytes) -> None:
        """Hand a message to everybody who hears it."""
        carried, now = decode(data), time.time()
        for subscription in topic.subscriptions.values():
            subscription.put(carried, now, topic.ttl)

    def may(self, policy: str, entity: str, what: str) -> bool:
        """Tell whether a policy allows something."""
        _, rights = self.policies[policy]
        return any(entity.startswith(prefix) and what in allowed for prefix, allowed in rights.items())
