"""Numbers for what is said again and again: who tells, operations, ways between services, attributes to look for."""

import sqlite3
from typing import Any

from shoal.dashboard.store.records import Resource

MANY = 1000
"""Operations of one service that are told apart; what comes after them counts as `OTHER`."""

MOST_RESOURCES, MOST_SERIES = 20_000, 50_000
"""Who tells, beyond which all others are one; and series of metrics, beyond which others are left out."""

OTHER = "(other)"


class Names:
    """The tables of names of a file, and what is known of them already."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[Any, int] = {}
        self._operations: dict[Any, int] = {}
        self._edges: dict[Any, int] = {}
        self._series: dict[Any, int] = {}
        self._keys: set[str] = set()
        self._of_service: dict[str, int] = {}
        self.load()

    def load(self) -> None:
        """Read what the file knows; also after a transaction that was taken back."""
        ask = self._connection.execute
        self._resources = {
            Resource(*row[1:]): row[0] for row in ask("SELECT id, service, replica, attributes FROM resources")
        }
        self._operations = {row[1:]: row[0] for row in ask("SELECT id, service, name, kind FROM operations")}
        self._edges = {row[1:]: row[0] for row in ask("SELECT id, source, target, kind, name FROM edges")}
        rows = ask("SELECT id, resource, name, unit, kind, cumulative, attributes FROM series")
        self._series = {row[1:]: row[0] for row in rows}
        self._keys = {key for (key,) in ask("SELECT key FROM keys")}
        self._of_service = {}
        for service, _, _ in self._operations:
            self._of_service[service] = self._of_service.get(service, 0) + 1

    def resource(self, resource: Resource) -> int:
        """Return the number of who tells."""
        found = self._resources.get(resource)
        if found is None and len(self._resources) >= MOST_RESOURCES:
            resource = Resource(OTHER, OTHER, "{}")
            found = self._resources.get(resource)
        insert = "INSERT INTO resources (service, replica, attributes) VALUES (?, ?, ?)"
        return found or self._add(self._resources, resource, insert)

    def operation(self, service: str, name: str, kind: int) -> tuple[int, bool]:
        """Return the number of an operation, and say whether it is told apart from others."""
        found = self._operations.get((service, name, kind))
        if found is not None:
            return found, True
        known = self._of_service.get(service, 0)
        if known >= MANY and name != OTHER:
            return self.operation(service, OTHER, kind)[0], False
        self._of_service[service] = known + 1
        insert = "INSERT INTO operations (service, name, kind) VALUES (?, ?, ?)"
        return self._add(self._operations, (service, name, kind), insert), True

    def edge(self, source: str, target: str, kind: str, name: str) -> int:
        """Return the number of a way from one to another."""
        key = (source, target, kind, name)
        insert = "INSERT INTO edges (source, target, kind, name) VALUES (?, ?, ?, ?)"
        found = self._edges.get(key)
        if found is None and len(self._edges) >= MANY * 4:
            key = (source, target, kind, OTHER)
            found = self._edges.get(key)
        return found or self._add(self._edges, key, insert)

    def series(self, *key: Any) -> int:
        """Return the number of a series: resource, name, unit, kind, cumulative, attributes; 0 for one too many."""
        if key not in self._series and len(self._series) >= MOST_SERIES:
            return 0
        insert = "INSERT INTO series (resource, name, unit, kind, cumulative, attributes) VALUES (?, ?, ?, ?, ?, ?)"
        return self._series.get(key) or self._add(self._series, key, insert)

    def key(self, key: str) -> None:
        """Note that there are attributes of this key."""
        if key not in self._keys and len(self._keys) < MANY:
            self._keys.add(key)
            self._connection.execute("INSERT OR IGNORE INTO keys (key) VALUES (?)", (key,))

    def _add(self, known: dict[Any, int], key: Any, insert: str) -> int:
        number = self._connection.execute(insert, key).lastrowid
        known[key] = number or 0
        return known[key]
