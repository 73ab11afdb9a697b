"""For which requests an operation is there at all, besides its method and path. Pure data."""

import re
from collections.abc import Mapping

import msgspec

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.untrusted import is_untrusted

_HOST = re.compile(r"(?!.*\.[0-9]+$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_HEADER = re.compile(r"[a-z][a-z0-9-]*")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_TAKEN = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "authorization", "x-api-key"}
)


class Only(Data, frozen=True, kw_only=True):
    """Requests that a route of the gateway takes; to all others it is not there.

    It routes and does not protect: anyone can say any name and any header.
    """

    hosts: tuple[str, ...] = ()
    """Names by which clients may call, without port, such as ``partner.shop.example``; any when there is none."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Headers that a request must have, each with this value exactly."""

    def __post_init__(self) -> None:
        """Refuse names that no client could say, and headers by which others decide."""
        for host in self.hosts:
            if not _HOST.fullmatch(host) or len(host) > 253:
                raise DeclarationError(
                    f"{host!r} is no name of a host",
                    hint="use lower case, without scheme, port or wildcard: partner.shop.example",
                )
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or name in _TAKEN or is_untrusted(name) or not _VALUE.fullmatch(value):
                raise DeclarationError(
                    f"no route can be chosen by the header {name!r} with the value {value!r}",
                    hint="use a lower-case name of your own, and visible characters",
                )

    def met(self, host: str, headers: Mapping[str, str]) -> bool:
        """Tell whether a request is meant; `host` may have a port, names of headers are lower case."""
        name = re.sub(r":[0-9]*$", "", host).lower()
        named = not self.hosts or name in self.hosts
        return named and all(headers.get(header) == value for header, value in self.headers.items())
