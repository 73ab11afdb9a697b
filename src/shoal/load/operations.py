"""Tells which operation a request asks for, so that reports name what is declared."""

from collections.abc import Iterable

from shoal.model.plan import Route
from shoal.runtime.routes import Routes


class Operations:
    """The operations that the gateway serves."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = Routes((r.method, r.path, f"{r.service}.{r.endpoint}") for r in routes)

    def name(self, method: str, target: str) -> str:
        """Name the operation of a request; everything that is not declared has one name for each method."""
        found = self._routes.match(method, target.partition("?")[0])
        return found[0] if found is not None else f"{method} (not declared)"
