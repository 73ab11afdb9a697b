"""Everything of one service that needs its cache."""

from typing import Any

from shoal.drivers.base import Cache
from shoal.runtime.cache.guard import Guarded
from shoal.runtime.cache.locks import Leases
from shoal.runtime.cache.remember import Remembered
from shoal.runtime.cache.sessions import VisitorSessions
from shoal.runtime.cache.values import Lasting, Values
from shoal.runtime.metrics.registry import Metrics
from shoal.service.cache import CacheStore, Locks, Sessions, ShortLived


class Keeping:
    """What a service does with its cache."""

    def __init__(self, cache: Cache, metrics: Metrics) -> None:
        guarded = Guarded(cache, metrics)
        self.remembered = Remembered(guarded)
        self.injected: dict[Any, Any] = {
            CacheStore: Values(guarded),
            ShortLived: Lasting(guarded),
            Sessions: VisitorSessions(guarded),
            Locks: Leases(guarded),
        }
        """What handlers may ask for, by type."""
