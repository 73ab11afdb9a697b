"""What the URL of a PostgreSQL says: to the client, and to us. Pure."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from shoal.errors import EngineError

POOLER = "transaction"
"""The only way of sharing connections that takes anything to know; a pooler of whole sessions is like the server."""

_OURS = ("direct", "lag", "part", "pool", "pooler", "replicas")

LAG = 5.0
"""Seconds that a read replica may be behind."""


class Address(NamedTuple):
    """A database, and how to reach it."""

    url: str
    """For statements and transactions, as the client takes it."""
    direct: str
    """The server itself, for what lasts longer than a transaction."""
    pooled: bool = False
    """Whether a pooler gives each transaction another session of the server."""
    replicas: tuple[str, ...] = ()
    """URLs of read replicas."""
    lag: float = LAG
    """Seconds that these may be behind."""
    pool: int = 0
    """Most connections of one process; 0 when nothing is said."""
    part: int = 0
    """Hours of one part of outbox and inbox; 0 when nothing is said."""


def parse(url: str) -> Address:
    """Take the options of ours out of a URL's query, since the client would pass them to the server.

    Raises:
        EngineError: An option cannot be meant, or a pooler hides the server.
    """
    options = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    bare = without(url, _OURS)
    pooled, direct = _pooler(options), options.get("direct", "")
    if pooled and not direct:
        raise EngineError(
            "the store's URL names a pooler, behind which no session lasts, and not the server itself",
            hint="add &direct=HOST:PORT of the PostgreSQL server, for leases, the relay and migrations",
        )
    return Address(
        url=bare,
        direct=_at(bare, direct) if direct else bare,
        pooled=pooled,
        replicas=tuple(_at(bare, place) for place in options.get("replicas", "").split(",") if place),
        lag=_number(options, "lag", LAG),
        pool=int(_number(options, "pool", 0)),
        part=int(_number(options, "part", 0)),
    )


def _pooler(options: Mapping[str, str]) -> bool:
    said = options.get("pooler", "")
    if said not in ("", POOLER):
        raise EngineError(
            f"the store's URL asks for pooler={said!r}",
            hint=f"say pooler={POOLER}, or leave it out for a server, or a pooler of whole sessions",
        )
    return said == POOLER


def _number(options: Mapping[str, str], name: str, default: float) -> float:
    said = options.get(name)
    if said is None:
        return default
    if not (said.isascii() and said.isdigit() and 0 < int(said) <= 1_000_000):
        raise EngineError(f"the store's URL says {name}={said!r}", hint="use a whole number above 0")
    return float(said)


def without(url: str, names: tuple[str, ...]) -> str:
    """Return a URL without some options of its query."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in names]
    # urlunsplit drops the empty host of a URL whose query names the socket's folder.
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{base}?{urlencode(kept, safe='/')}" if kept else base


def _at(url: str, place: str) -> str:
    """Return the same database at another place: a host, or the folder of a socket, and perhaps a port."""
    bare = without(url, ("host", "port"))
    parts = urlsplit(bare)
    entry = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    if place.startswith("/"):
        folder, _, port = place.partition(":")
        where = urlencode({"host": folder, **({"port": port} if port else {})}, safe="/")
        return f"{parts.scheme}://{entry}{parts.path}?{parts.query}{'&' if parts.query else ''}{where}"
    return f"{parts.scheme}://{entry}{place}{parts.path}" + (f"?{parts.query}" if parts.query else "")
