"""`System`: the author's list of services and what lies around them."""

from collections.abc import Sequence

import msgspec

from shoal.model.names import check_label
from shoal.model.system import External, Gateway
from shoal.service.audit import Audit
from shoal.service.declare import Service
from shoal.service.marks import check_kinds
from shoal.service.source import of_caller

_GATEWAY = Gateway()


class Issuer:
    """Name the service that signs the system's tokens.

    Args:
        service: Its handlers may ask for a `TokenIssuer`; it serves ``/.well-known/jwks.json``.
        audience: What the tokens are for (``aud``).
        name: Who signs them (``iss``); by default the service's identity within the system.
    """

    def __init__(self, service: Service, *, audience: str, name: str = "") -> None:
        self.service, self.audience, self.name = service, audience, name


_KINDS = {
    "services": Sequence[Service],
    "issuer": Issuer | None,
    "externals": Sequence[External],
    "gateway": Gateway,
    "port": int,
}


class System:
    """Declare a system.

    Args:
        name: DNS label.
        services: Its services.
        issuer: Who signs its tokens; needed as soon as an endpoint asks for a principal.
        externals: Systems outside it that its services talk to.
        gateway: What holds for everything that comes from outside.
        port: Port of the gateway on a laptop; 0 takes the gateway's own.
        audits: What it promises of itself, besides what every system promises; for ``shoal audit`` and tests.
    """

    def __init__(
        self,
        name: str,
        *,
        services: Sequence[Service],
        issuer: Issuer | None = None,
        externals: Sequence[External] = (),
        gateway: Gateway = _GATEWAY,
        port: int = 0,
        audits: Sequence[Audit] = (),
    ) -> None:
        self.source = of_caller()[1]
        given = {"services": services, "issuer": issuer, "externals": externals, "gateway": gateway, "port": port}
        check_kinds(f"System({name!r})", given, _KINDS, self.source)
        self.name = check_label("system", name, where=self.source)
        self.services = tuple(services)
        self.issuer = issuer
        self.externals = tuple(externals)
        self.gateway = gateway if not port else msgspec.structs.replace(gateway, port=port)
        self.audits = tuple(audits)
