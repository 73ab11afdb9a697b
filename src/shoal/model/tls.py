"""TLS between clients and the edge. Pure data."""

import ipaddress
import re
from typing import Literal

from shoal.errors import DeclarationError
from shoal.model.data import Data

_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")


class Tls(Data, frozen=True, kw_only=True):
    """The edge serves TLS, HTTP/2 where the client can (ALPN), and nothing in plain text."""

    names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    """Host names and addresses in its certificate."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """Oldest version of TLS."""

    def __post_init__(self) -> None:
        """Refuse names that no certificate could have."""
        odd = [name for name in self.names if not is_address(name) and not _HOST.fullmatch(name)]
        if odd or not self.names:
            raise DeclarationError(
                f"a certificate for {odd[0]!r}" if odd else "a certificate for no name",
                hint='give host names and addresses: Tls(names=("localhost", "127.0.0.1"))',
            )

    @property
    def local(self) -> bool:
        """Whether every name is this machine's own, which other programs of the machine share."""
        return all(_is_local(name) for name in self.names)


def is_address(name: str) -> bool:
    """Tell whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(name: str) -> bool:
    if is_address(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")
