"""How a large run is shared out over processes: whole files, and to the third one only such as need no engines."""

from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadFileScheduling

ENGINES_IN = ("gw0", "gw1")
"""The processes that start engines; any other one fills the time in which these wait."""

SHARED = "live"
"""The fixture that runs the whole shop for many files: they go to one process, which stops it after the last."""


class Sharing(LoadFileScheduling):  # type: ignore[misc]
    """Gives out whole files, and those that share the shop together."""

    def __init__(self, config: Any, log: Any, late: frozenset[str]) -> None:
        super().__init__(config, log)
        self._late = late
        """Names of tests that wait for long work."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return SHARED if shares(self.config.rootpath / file) else file

    def _assign_work_unit(self, node: Any) -> None:
        if node.gateway.id not in ENGINES_IN and any(other.gateway.id in ENGINES_IN for other in self.nodes):
            scope = next((scope for scope in reversed(self.workqueue) if self._plain(scope)), None)
            if scope is None:
                node.shutdown()
                return
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _plain(self, scope: str) -> bool:
        tests = (nodeid.rpartition("::")[2] for nodeid in self.workqueue[scope])
        return scope != SHARED and not starts_engines(self.config.rootpath / scope) and self._late.isdisjoint(tests)


@cache
def shares(path: Path) -> bool:
    """Say whether a file's tests ask for the shared fixture, and not for one of their own by that name."""
    text = path.read_text("utf-8")
    return f"{SHARED}: LiveSystem" in text and f"def {SHARED}(" not in text


@cache
def starts_engines(path: Path) -> bool:
    """Say whether a file has tests that are marked so."""
    return "mark.live" in path.read_text("utf-8")
