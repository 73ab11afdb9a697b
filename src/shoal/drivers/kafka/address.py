"""The address of a cluster: ``kafka://user:password@host:port,host:port?tls=1&sasl=SCRAM-SHA-512&wait=0.5``."""

import math
import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.errors import DeclarationError

_PORT = 9092
_KNOWN = frozenset({"ca", "sasl", "tls", "wait"})
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a cluster is, and who we are there.

    Args:
        servers: Host and port of some of its nodes.
        user: Name for SASL; empty to connect without.
        password: For SASL.
        mechanism: ``PLAIN``, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``.
        tls: Whether connections are encrypted.
        ca: File of certificates to trust instead of the machine's own.
        wait: Seconds that a request for messages waits at the server for the first.
    """

    servers: tuple[tuple[str, int], ...]
    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"
    tls: bool = False
    ca: str = ""
    wait: float = 0.5

    @property
    def protocol(self) -> str:
        """How Kafka calls the protocol of a connection."""
        return ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")

    @property
    def place(self) -> str:
        """Where it is, without secrets."""
        where = ", ".join(f"{host}:{port}" for host, port in self.servers)
        return f"Kafka at {where}" + (f" as {self.user!r}" if self.user else "")

    def tls_context(self) -> ssl.SSLContext | None:
        """Make what verifies the servers."""
        return ssl.create_default_context(cafile=self.ca or None) if self.tls else None


def read(url: str) -> Address:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - _KNOWN):
        raise DeclarationError(
            f"the address of Kafka has an unknown parameter {unknown[0]!r}", hint=f"use: {', '.join(sorted(_KNOWN))}"
        )
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    tls = _one_of("tls", given.get("tls", "0"), ("0", "1")) == "1"
    mechanism = _one_of("sasl", given.get("sasl", _MECHANISMS[0]), _MECHANISMS)
    if user and mechanism == "PLAIN" and not tls:
        hint = "add tls=1, or use sasl=SCRAM-SHA-512"
        raise DeclarationError(
            "the address of Kafka would send the password in the clear (PLAIN without TLS)", hint=hint
        )
    return Address(
        servers=tuple(_server(host) for host in hosts.split(",")),
        user=unquote(user),
        password=unquote(password),
        mechanism=mechanism,
        tls=tls,
        ca=given.get("ca", ""),
        wait=_seconds(given.get("wait", "0.5")),
    )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise DeclarationError(f"the address of Kafka has {name}={value}", hint=f"use: {', '.join(known)}")
    return value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise DeclarationError(f"the address of Kafka has wait={text}", hint="say it in seconds, such as 0.5")
    return seconds


def _server(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() else (text, _PORT)
