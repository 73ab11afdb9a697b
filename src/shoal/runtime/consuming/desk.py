"""What all consumers of one service share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from shoal.drivers.base import Broker, Store
from shoal.model.service import Policy
from shoal.runtime.inject import Plan
from shoal.runtime.logs import Journal
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.transaction import Announcer
from shoal.service import codec
from shoal.service.context import Clock

PARALLEL = 8
"""Handlers with effects outside the store that run at a time in one process; each may hold a connection meanwhile."""


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """One compiled handler of events."""

    name: str
    handler: Callable[..., Awaitable[Any]]
    plan: Plan
    codec: codec.Codec[Any]
    policy: Policy
    series: Series
    batch: int = 0
    """Most events that it takes at a time; 0 when it takes them one by one."""
    personal: bool = False
    """Whether the event has fields that must be unsealed first."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumers of one service share."""

    system: str
    service: str
    replica: str
    store: Store
    broker: Broker
    announcer: Announcer
    clock: Clock
    subscribers: Mapping[str, Subscriber]
    """By event id."""
    metrics: Metrics
    journal: Journal | None
    poke: Callable[[], None]
    slots: asyncio.Semaphore = msgspec.field(default_factory=lambda: asyncio.Semaphore(PARALLEL))
    """Taken by each handler that runs for itself."""
    alone: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    """Held by who handles a message that may end the process."""
