"""The part of the compiler that watches: made where some environment is watched."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.monitoring import collector, dashboards, logs, rules, scraping, wiring
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made


def make(scope: Scope) -> Iterator[Made]:
    """Make everything that watches, and let each watched environment have it."""
    if not wiring.watched(scope):
        return
    yield from scraping.make(scope)
    yield from rules.make(scope)
    yield from collector.make(scope)
    yield from dashboards.make(scope)
    yield from logs.make(scope)
    for environment in scope.environments:
        if environment.monitoring:
            yield Entry(folder=f"overlays/{environment.name}", field="resources", value="../../monitoring")
