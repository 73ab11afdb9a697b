"""Where a service keeps what may be gone before its time. Pure data."""

from shoal.model import catalog
from shoal.model.data import Data


class CacheUse(Data, frozen=True, kw_only=True):
    """The service's own part of a cache."""

    engine: str = "valkey"
    why: str = ""
    """Why that engine suits it."""

    def __post_init__(self) -> None:
        """Refuse an engine that nobody knows."""
        catalog.engine(self.engine, kind="cache")


class CachePlan(Data, frozen=True, kw_only=True):
    """A service's part of a cache, opened by a user that sees no other."""

    engine: str
    user: str
    part: str
    """How its keys begin."""
