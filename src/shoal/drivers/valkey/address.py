"""Addresses of caches: ``valkey://USER:PASSWORD@/PART?socket=/path``, ``valkeys+cluster://USER:PASSWORD@HOST,HOST/PART``."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.valkey.link import Door
from shoal.errors import DeclarationError

WITHIN = 0.5
"""Seconds that an answer may take; a cache that is slower than what it spares is none."""

_PORT = 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a cache is, and which part of it is ours.

    Args:
        doors: The server, or some of those of a cluster, and as whom they are entered.
        cluster: Whether they share the keys among them.
        prefix: How every key begins.
        within: Seconds that an answer may take.
    """

    doors: tuple[Door, ...]
    cluster: bool
    prefix: str
    within: float


def read(url: str) -> Address:
    """Read a URL; raises `DeclarationError` for one that says neither where nor as whom."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    scheme, _, kind = parts.scheme.partition("+")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    socket, within = options.get("socket", ""), float(options.get("within", WITHIN))
    if not (hosts or (socket and not kind)) or not user or (hosts.count(",") and not kind):
        raise DeclarationError(
            "the address of a cache names no server or no user, or several servers that are no cluster",
            hint="valkey://USER:PASSWORD@/PART?socket=/path, valkeys://USER:PASSWORD@HOST:6379/PART with TLS, "
            "or valkeys+cluster://USER:PASSWORD@HOST:6379,HOST:6379/PART",
        )
    tls = ssl.create_default_context(cafile=options.get("ca")) if scheme == "valkeys" else None
    doors = tuple(
        Door(
            socket=Path(socket),
            host=host,
            port=port,
            tls=tls,
            user=unquote(user),
            password=unquote(password),
            within=within,
        )
        for host, port in map(_server, hosts.split(","))
    )
    prefix = prefix_of(unquote(parts.path.removeprefix("/")))
    return Address(doors=doors, cluster=kind == "cluster", prefix=prefix, within=within)


def prefix_of(name: str) -> str:
    """Return how the keys of one part of the cache begin."""
    return f"{name}:"


def _server(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and port.isdigit() and (not host.count(":") or host.endswith("]"))):
        host, port = text, str(_PORT)
    return host.strip("[]"), int(port)
