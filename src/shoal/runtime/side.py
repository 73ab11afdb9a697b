"""What a service does besides answering requests: its events, sagas, schedules and projections are each a side."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from shoal import model
from shoal.drivers.base import Broker, Store, Warehouse
from shoal.drivers.base.objects import ObjectStore
from shoal.drivers.base.search import Search
from shoal.runtime.cache.remember import Remembered
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.logs import Journal
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.transaction import Announcer
from shoal.service.context import Clock
from shoal.service.declare import Service


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a side is given."""

    system: str
    replica: str
    service: Service
    model: model.Service
    store: Store
    broker: Broker | None
    announcer: Announcer
    clock: Clock
    metrics: Metrics
    journal: Journal | None
    remembered: Remembered | None
    """Keeps results of functions, where there is a cache."""
    poke: Callable[[], None]
    """Tells the relay that something was announced."""
    warehouse: Warehouse | None
    staged: asyncio.Event
    """Set when facts for the warehouse have committed."""
    search: Search | None
    changed: asyncio.Event
    """Set when records that are indexed may have changed."""
    objects: ObjectStore | None
    loosened: asyncio.Event
    """Set when some of them may be removed."""
    apart: frozenset[str] = frozenset()
    """Schedules that run in processes of their own."""


class Side(Protocol):
    """One kind of background work of a running service."""

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Compile handlers with what can be injected; called before `start`, and again when a test overrides values."""
        ...

    def start(self) -> None:
        """Begin in the background; must not wait for engines."""
        ...

    def leave(self) -> None:
        """Begin nothing new; what is in hand goes on."""
        ...

    async def stop(self, drain: float) -> None:
        """Finish what is in hand within `drain` seconds, and end. The store is still open."""
        ...


class OneTask:
    """A `Side` without handlers: one task, which may be cut off at any point."""

    _task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Go on until somebody cuts it off."""
        raise NotImplementedError

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: there are no handlers."""

    def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self.run())

    def leave(self) -> None:
        """Do nothing: it may be cut off at any point."""

    async def stop(self, drain: float) -> None:  # noqa: ARG002 - the contract's parameter
        """End at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


@runtime_checkable
class Listener(Protocol):
    """A side that hears events: besides their handlers, or where there is none."""

    def listen(self, handled: Mapping[str, Subscriber]) -> Mapping[str, Subscriber]:
        """Return what is to be called for each event, by its id; `handled` are the compiled handlers so far."""
        ...


Builder = Callable[[Around], Side | None]
"""Makes a side of a service; None where the service declares nothing of the kind."""
