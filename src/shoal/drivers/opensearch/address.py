"""The address of a cluster: ``opensearch://user:password@host:9200,host:9200/PREFIX?tls=1&timeout=10``."""

import math
import re
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.errors import DeclarationError

_PORT = 9200
_KNOWN = frozenset({"ca", "replicas", "shards", "timeout", "tls"})
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a cluster is, and who we are there.

    Args:
        servers: Where some of its nodes are, as ``https://host:port``.
        prefix: What the names of all indexes begin with.
        user: Who we are; empty where nobody asks.
        password: Of the user.
        tls: Whether connections are encrypted.
        ca: File of certificates to trust instead of the machine's own.
        timeout: Seconds that an answer may take.
        sizes: Shards and replicas of an index, where they are not what the cluster takes by itself.
    """

    servers: tuple[str, ...]
    prefix: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""
    timeout: float = 10.0
    sizes: tuple[tuple[str, int], ...] = ()

    @property
    def place(self) -> str:
        """Where it is, without secrets."""
        return f"OpenSearch at {', '.join(self.servers)}" + (f" as {self.user!r}" if self.user else "")

    @property
    def headers(self) -> dict[str, str]:
        """What every request says."""
        if not self.user:
            return {}
        return {"Authorization": f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"}

    def tls_context(self) -> ssl.SSLContext | None:
        """Make what verifies the servers."""
        return ssl.create_default_context(cafile=self.ca or None) if self.tls else None


def read(url: str) -> Address:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - _KNOWN):
        raise _wrong(f"has an unknown parameter {unknown[0]!r}", f"use: {', '.join(sorted(_KNOWN))}")
    if (said := given.get("tls", "0")) not in ("0", "1"):
        raise _wrong(f"has tls={said}", "use: 0, 1")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    tls, prefix = said == "1", parts.path.strip("/")
    if not hosts or not _PREFIX.fullmatch(prefix):
        raise _wrong("names no host, or no prefix that indexes can begin with", "write opensearch://host:9200/shop")
    if user and not tls:
        raise _wrong("would send the password in the clear", "add tls=1")
    return Address(
        servers=tuple(_server(host, tls=tls) for host in hosts.split(",")),
        prefix=prefix,
        user=unquote(user),
        password=unquote(password),
        tls=tls,
        ca=given.get("ca", ""),
        timeout=_number("timeout", given.get("timeout", "10")),
        sizes=tuple((name, int(_number(name, given[name]))) for name in ("shards", "replicas") if name in given),
    )


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number < math.inf or (name == "timeout" and not number):
        raise _wrong(f"has {name}={text}", "say it in seconds, such as 10" if name == "timeout" else "say how many")
    return number


def _server(text: str, *, tls: bool) -> str:
    host, colon, port = text.rpartition(":")
    named = text if colon and port.isdigit() and host else f"{text}:{_PORT}"
    return f"http{'s' if tls else ''}://{named}"


def _wrong(problem: str, hint: str) -> DeclarationError:
    return DeclarationError(f"the address of OpenSearch {problem}", hint=hint)
