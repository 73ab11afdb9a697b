"""Requests from inside the mesh: through the proxy of a service, with its identity and its rights and no others."""

import http.client
import json
import socket
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from shoal.errors import HostError
from shoal.operating.running import current


class Outbound(http.client.HTTPConnection):
    """A connection to the socket to which a service sends its calls."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def outbound(root: Path, service: str) -> str:
    """Return the socket to which a service sends its calls.

    Raises:
        HostError: Nothing runs, there is no such service, or no proxy carries its calls.
    """
    run = current(root)
    try:
        with build_opener(ProxyHandler({})).open(f"{run.registry}/services/{service}", timeout=5) as answer:
            address = str(json.load(answer)["outbound"])
    except (URLError, OSError, ValueError) as error:
        raise HostError(
            f"the registry at {run.registry} tells nothing of {service!r}: {error}", hint="see `shoal ps`"
        ) from error
    if not address.startswith("unix:"):
        raise HostError(
            f"no proxy carries the calls of {service}", hint="run without --one-process and without --mesh off"
        )
    return address.removeprefix("unix:")
