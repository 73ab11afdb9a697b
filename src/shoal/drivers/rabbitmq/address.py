"""The address of a broker: ``rabbitmq://user:password@host:port/vhost?tls=1&ca=file``. Pure."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit

from shoal.errors import DeclarationError

_KNOWN = frozenset({"ca", "tls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker is, and who we are there.

    Args:
        host: Of one node.
        port: Of that node, for AMQP 0-9-1.
        user: Who we are.
        password: Of the user.
        vhost: Virtual host that holds the system's streams.
        tls: Whether the connection is encrypted.
        ca: File of certificates to trust instead of the machine's own.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str
    tls: bool = False
    ca: str = ""

    @property
    def place(self) -> str:
        """Where it is, without secrets."""
        return f"RabbitMQ at {self.host}:{self.port} as {self.user!r}"

    @property
    def url(self) -> str:
        """The address as the client writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, password, vhost = (quote(part, safe="") for part in (self.user, self.password, self.vhost))
        return f"amqp{'s' if self.tls else ''}://{user}:{password}@{host}:{self.port}/{vhost}"


def read(url: str) -> Address:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - _KNOWN):
        raise DeclarationError(
            f"the address of RabbitMQ has an unknown parameter {unknown[0]!r}",
            hint=f"use: {', '.join(sorted(_KNOWN))}",
        )
    if given.get("tls", "0") not in ("0", "1"):
        raise DeclarationError(f"the address of RabbitMQ has tls={given['tls']}", hint="use: 0, 1")
    if not parts.hostname or not parts.username:
        raise DeclarationError(
            "the address of RabbitMQ names no host or no user", hint="write rabbitmq://user:password@host:5672/vhost"
        )
    tls = given.get("tls", "0") == "1"
    return Address(
        host=parts.hostname,
        port=parts.port or (5671 if tls else 5672),
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        vhost=unquote(parts.path[1:]) or "/",
        tls=tls,
        ca=given.get("ca", ""),
    )
