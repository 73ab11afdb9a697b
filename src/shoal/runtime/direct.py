"""Carry calls straight to the replicas of other services, where no proxy stands between them."""

import itertools
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shoal.errors import CallFailed
from shoal.runtime.clients import Answer
from shoal.runtime.deadline import EXPECTED, REQUESTED
from shoal.runtime.mesh import MeshTransport, NotReached

SCHEME = "direct:"
"""Begins the address of a folder that holds, for each service, a file with its replicas, as Envoy reads it (EDS)."""


class _Replicas(msgspec.Struct):
    """The replicas of one service, as its file said when it was last read."""

    stamp: tuple[int, int]
    groups: tuple[tuple[str, ...], ...]
    """Sockets; those of a group are asked when none of the groups before it can be reached."""
    turn: int = 0

    def in_turn(self) -> Iterator[str]:
        """Yield every replica once: those of the first group, beginning with the next, then those further away."""
        self.turn += 1
        for group in filter(None, self.groups):
            first = self.turn % len(group)
            yield from itertools.chain(group[first:], group[:first])


class DirectTransport:
    """Sends each call to a replica of its service, in turn; one that cannot be reached is passed over."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._known: dict[str, _Replicas] = {}
        self._pools: dict[str, MeshTransport] = {}

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Send one request and read its whole answer within `within` seconds."""
        relayed = dict(headers)
        relayed[EXPECTED] = relayed.pop(REQUESTED, "")
        ends = time.monotonic() + within
        for socket in self._replicas(service).in_turn():
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                return await self._pool(socket).send(service, method, path, relayed, body, left)
            except NotReached:
                continue  # nothing was sent
        raise CallFailed(f"{service}{path}", detail="no replica of it can be reached")

    async def close(self) -> None:
        """Close every pool."""
        for pool in self._pools.values():
            await pool.close()

    def _pool(self, path: str) -> MeshTransport:
        if path not in self._pools:
            self._pools[path] = MeshTransport(f"unix:{path}")
        return self._pools[path]

    def _replicas(self, service: str) -> _Replicas:
        """Return the replicas, read again when their file was replaced."""
        file = self._folder / f"{service}.json"
        try:
            found = os.stat(file)  # noqa: PTH116 - once per call, and half the time of Path's
            stamp = (found.st_mtime_ns, found.st_ino)
            known = self._known.get(service)
            if known is None or known.stamp != stamp:
                known = self._known[service] = _Replicas(stamp, replicas(file.read_bytes()))
        except (OSError, msgspec.MsgspecError, LookupError) as error:
            raise CallFailed(service, detail=f"its replicas are not known: {error}") from error
        return known


def replicas(document: bytes) -> tuple[tuple[str, ...], ...]:
    """Read the sockets out of a discovery response, the nearest group first; raises `LookupError` when it is none."""
    resource: dict[str, Any] = msgspec.json.decode(document)["resources"][0]
    found: dict[int, list[str]] = {}
    for group in resource.get("endpoints", ()):
        sockets = [host["endpoint"]["address"]["pipe"]["path"] for host in group["lb_endpoints"]]
        found.setdefault(group.get("priority", 0), []).extend(sockets)
    return tuple(tuple(found[priority]) for priority in sorted(found))
