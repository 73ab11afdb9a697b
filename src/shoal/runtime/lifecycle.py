"""How an endpoint says that it ends (RFC 9745, RFC 8594), and that it has ended."""

import datetime as dt
from collections.abc import Iterable
from email.utils import format_datetime

from shoal.errors import Problem
from shoal.model.versioning import Version, prefix
from shoal.service.context import Clock
from shoal.service.marks import Operation

Headers = list[tuple[bytes, bytes]]


class Lifecycle:
    """What one endpoint says of its end. Time is looked at on each request, so that nothing must happen at midnight."""

    def __init__(self, version: Version, successor: int, clock: Clock) -> None:
        self._version, self._successor, self._clock = version, successor, clock
        self._headers = _announcement(version)

    def check(self) -> None:
        """Refuse with 410 once the endpoint has ended."""
        sunset = self._version.sunset
        if sunset is not None and self._clock.now() >= sunset:
            instead = f"; use {prefix(self._successor)}{self._version.path}" if self._successor else ""
            raise Problem(410, "gone", f"this version ended on {sunset:%Y-%m-%d}{instead}")

    def headers(self, path: str) -> Headers:
        """Write what every answer says, that to `path` with the way to the next version."""
        if not self._successor:
            return self._headers
        after = prefix(self._successor) + path.removeprefix(prefix(self._version.number))
        return [*self._headers, (b"link", f'<{after}>; rel="successor-version"'.encode("latin-1", "replace"))]


def lifecycle(operation: Operation, all_operations: Iterable[Operation], clock: Clock | None) -> Lifecycle | None:
    """Make the lifecycle of an operation; None where it has no end to speak of."""
    version = operation.edge.version
    if version is None or clock is None or not (version.deprecated or version.sunset):
        return None
    return Lifecycle(version, _successor(operation, version, all_operations), clock)


def _successor(operation: Operation, version: Version, others: Iterable[Operation]) -> int:
    """Return the next version that has no end of its own; 0 when there is none."""
    numbers = [
        other.edge.version.number
        for other in others
        if other.edge.version is not None
        and (other.method, other.edge.version.path) == (operation.method, version.path)
        and other.edge.version.number > version.number
        and not other.edge.version.sunset
    ]
    return min(numbers, default=0)


def _announcement(version: Version) -> Headers:
    found: Headers = []
    if version.deprecated:  # a structured field of type Date (RFC 9651, 3.3.7)
        found.append((b"deprecation", b"@%d" % version.deprecated.timestamp()))
    if version.sunset:
        found.append((b"sunset", format_datetime(version.sunset.astimezone(dt.UTC), usegmt=True).encode()))
    return found
