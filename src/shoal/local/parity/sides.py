"""Ask both sides the same request, through the proxy's own listener for that."""

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from shoal.mesh.strangler import SIDE_HEADER
from shoal.model.parity import Difference, Reply, compare

Side = Literal["legacy", "new"]

PATIENCE = 10.0
LARGEST = 8 * 1024 * 1024
"""Bytes of an answer that are read and compared."""

_OWN = frozenset({"connection", "content-length", "keep-alive", "te", "transfer-encoding", "upgrade", SIDE_HEADER})
"""Headers of one connection, which are not passed on."""


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the edge has sent it on."""

    route: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    ignore: tuple[str, ...] = ()


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Path) -> None:
        super().__init__("parity", timeout=PATIENCE)
        self._place = place

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._place))


def differences(place: Path, copy: Copy) -> tuple[Difference, ...]:
    """Compare both sides' answers; twice when they differ, since something may have changed in between.

    Raises:
        OSError: A side does not answer.
        http.client.HTTPException: What it answers is no HTTP.
    """
    found = _once(place, copy)
    return _once(place, copy) if found else ()


def _once(place: Path, copy: Copy) -> tuple[Difference, ...]:
    return compare(_ask(place, copy, "legacy"), _ask(place, copy, "new"), copy.ignore)


def _ask(place: Path, copy: Copy, side: Side) -> Reply:
    connection = _Connection(place)
    try:
        headers = {name: value for name, value in copy.headers.items() if name not in _OWN}
        sent = headers | {SIDE_HEADER: side, "accept-encoding": "identity"}
        connection.request(copy.method, copy.target, body=copy.body or None, headers=sent)
        answer = connection.getresponse()
        got = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(status=answer.status, headers=got, body=answer.read(LARGEST))
    finally:
        connection.close()
