"""Where a load may go: to this machine, and to another one only if somebody says that it is his."""

import ipaddress
import socket
import ssl
import sys
from urllib.parse import urlsplit

from shoal.errors import HostError
from shoal.load.wire import Site


def site_of(target: str, authority: str = "", *, owned: bool = False) -> Site:
    """Find where requests to a base URL go.

    Args:
        target: ``http://`` or ``https://``, a host and perhaps a port.
        authority: File (PEM) with the authority that signed the certificate; those that the machine trusts when empty.
        owned: Whether another machine than this is meant.

    Raises:
        HostError: It is no such URL, has no address, or is another machine without `owned`.
    """
    address = urlsplit(target)
    try:
        port = address.port or {"http": 80, "https": 443}[address.scheme]
        found = socket.getaddrinfo(address.hostname or "", port, type=socket.SOCK_STREAM) if address.hostname else []
    except (KeyError, ValueError, OSError) as error:
        raise HostError(f"{target} cannot be loaded: {error}", hint="write http://127.0.0.1:8000") from error
    addresses = [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    if not addresses or address.path not in ("", "/") or address.query:
        raise HostError(f"{target} cannot be loaded: it is not a host alone", hint="write http://127.0.0.1:8000")
    here = all(one.is_loopback for one in addresses)
    if not here and not owned:
        raise HostError(
            f"{target} is another machine ({addresses[0]}), and was not loaded",
            hint="whom it does not belong to may take it for an attack; if it is yours, add --yes-i-own-it --for 60s",
        )
    context = ssl.create_default_context(cafile=authority or None) if address.scheme == "https" else None
    first = next((one for one in addresses if one.version == 4), addresses[0])
    return Site(
        host=str(first),
        port=port,
        authority=address.netloc.rpartition("@")[2],
        name=address.hostname or "",
        tls=context,
        here=here,
        many_addresses=here and first.version == 4 and sys.platform == "linux",
    )
