"""A run's file that is written as the collector does, and looked at as the dashboard does."""

import json
from pathlib import Path

from shoal.dashboard.notices.kept import notices
from shoal.dashboard.notices.ledger import Notice
from shoal.dashboard.notices.watch import Watch
from shoal.dashboard.store.reading import database
from shoal.dashboard.store.records import ERROR, Point, Resource, Span
from shoal.dashboard.store.writer import Writer

START = 1_800_000_000
ORDERS, OTHER = Resource("orders", "orders-0", "{}"), Resource("orders", "orders-1", "{}")
EDGE = {"shoal.operation": "orders.place_order", "shoal.upstream": "orders", "error.type": "503"}
STACK = 'Traceback:\n  File "shop/orders/service.py", line 61, in place_order\nKeyError: 7\n'


class Run:
    """A file that is written as the collector does, and looked at as the dashboard does."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "run-000001.db"
        self.writer = Writer(self.file)
        self.watch = Watch(self.file, self.writer)
        self._spans = 0

    def promise(self, at: float, goal: float = 0.999) -> None:
        said = {"shoal.operation": "orders.place_order", "shoal.objective": "availability"}
        labels = json.dumps(said | {"shoal.objective.window": "30d"}, sort_keys=True)
        self.writer.put([Point(ORDERS, "shoal.objective.target", "", "gauge", True, labels, int(at * 1e6), goal)])

    def count(self, at: float, good: float, bad: float, who: Resource = ORDERS) -> None:
        """Tell what a replica has counted since it began."""
        said = {"shoal.operation": "orders.place_order", "shoal.objective": "availability"}
        for outcome, value in (("good", good), ("bad", bad)):
            labels = json.dumps(said | {"shoal.outcome": outcome}, sort_keys=True)
            name, when = "shoal.objective.requests", int(at * 1e6)
            self.writer.put([Point(who, name, "{request}", "sum", True, labels, when, value)])

    def span(
        self, at: float, *, kind: int = 2, error: str = "", service: str = "orders", flags: str = "", trace: int = 0
    ) -> int:
        """Tell of a span, in a trace of its own or in one that there is; return the trace."""
        self._spans += 1
        trace = trace or self._spans
        said = {"exception.type": "KeyError", "exception.message": error, "exception.stacktrace": STACK}
        span = Span(
            resource=Resource(service, f"{service}-0", "{}"), trace=trace.to_bytes(16, "big"), span=self._spans,
            parent=0, name="POST /orders", kind=kind, started=int(at * 1e6), took=1000,
            status=ERROR if error else 0, message="",
            attributes=({"shoal.flags": flags} if flags else {}) | (EDGE if service == "gateway" else {}),
            events=[("exception", int(at * 1e6), said)] if error else [], links=[],
        )  # fmt: skip
        self.writer.put([span])
        return trace

    def look(self, at: float) -> list[Notice]:
        assert self.writer.flush()
        changed = self.watch.look(at)
        assert self.writer.flush()
        with database(self.file) as opened:
            kept = {notice.id: notice for notice in notices(opened, limit=1000).items}
        assert all(kept[notice.id] == notice for notice in changed)
        return changed
