"""Where a service keeps its own data. Pure data."""

from typing import Literal

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.data import Data


class Store(Data, frozen=True, kw_only=True):
    """The service's own store."""

    engine: str = "postgres"
    needs: tuple[str, ...] = ("transactions",)
    """Capabilities that the service relies on; see `catalog.CAPABILITIES`."""
    migrations: str = ""
    """Folder of numbered SQL files, relative to the service's module; empty when there are none."""
    production: str = ""
    """Engine that it is meant for, where that is another one than on a laptop."""
    why: str = ""
    """Why that engine suits it."""
    pooler: Literal["", "transaction"] = ""
    """What stands before the database in production: a pooler that gives each transaction another session, or none."""

    def __post_init__(self) -> None:
        """Refuse an engine or a capability that nobody knows."""
        catalog.engine(self.engine, kind="store")
        for need in self.needs:
            if need not in catalog.CAPABILITIES:
                known = ", ".join(sorted(catalog.CAPABILITIES))
                raise DeclarationError(f"no store is known to be capable of {need!r}", hint=f"choose from: {known}")
        if self.pooler not in ("", "transaction"):
            raise DeclarationError(
                f"pooler={self.pooler!r} is no pooler to prepare for",
                hint='say pooler="transaction", or nothing where each connection keeps its session',
            )
