"""The address of a namespace of Service Bus: ``servicebus://NAMESPACE.servicebus.windows.net``.

Who this process is says the platform (`azure.identity`), unless the address has a shared access policy:
``servicebus://POLICY:KEY@NAMESPACE.servicebus.windows.net``. ``tls=0`` is for emulators on loopback, which have their
management at a port of its own, ``manage=``.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.endpoint import endpoint
from shoal.errors import DeclarationError

_ITSELF = "Azure Service Bus"
_USE = "use servicebus://NAMESPACE.servicebus.windows.net"
SAFE, PLAIN, MANAGED = 5671, 5672, 5300
"""Ports of AMQP over TLS, of an emulator's AMQP, and of an emulator's management."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicebusAddress:
    """Where a namespace is.

    Args:
        host: Its name.
        port: Where it speaks AMQP.
        tls: Whether that is over TLS.
        management: URL of its management.
        policy: Name of a shared access policy; empty where the platform says who we are.
        key: The policy's key.
    """

    host: str
    port: int
    tls: bool
    management: str
    policy: str = ""
    key: str = ""


def read(url: str) -> ServicebusAddress:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - {"tls", "manage"}):
        raise DeclarationError(f"the servicebus address has an unknown parameter {unknown[0]!r}", hint=_USE)
    host, tls = parts.hostname or "", given.get("tls", "1")
    if not host or parts.path.strip("/"):
        raise DeclarationError("the servicebus address names no namespace, or something in it", hint=_USE)
    if bool(parts.username) != bool(parts.password):
        hint = "write POLICY:KEY@, quoted for a URL, or leave both out"
        raise DeclarationError("the servicebus address has half a shared access policy", hint=hint)
    manage = given.get("manage", "" if tls == "1" else str(MANAGED))
    place = f"{host}:{manage}" if manage else host
    return ServicebusAddress(
        host=host,
        port=parts.port or (SAFE if tls == "1" else PLAIN),
        tls=tls == "1",
        management=endpoint(parts.scheme, place, host, tls, _ITSELF),
        policy=unquote(parts.username or ""),
        key=unquote(parts.password or ""),
    )
