"""Where everything of the mesh is: listeners, replicas, certificates and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shoal.errors import DeclarationError, HostError
from shoal.model.plan import GATEWAY, Plan

SOCKET_LIMIT = 103
"""Bytes of a UNIX socket's path: macOS has 104 with the final NUL (sys/un.h), Linux 108."""

EDGE = "gateway.tls"
"""Holder of the certificate that clients from outside see; no service can have such a name."""

LAST_INSTANCE = 9999
"""Highest instance number whose socket is promised to fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """A UNIX socket."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """A TCP address."""

    host: str
    port: int


Address = Pipe | Tcp


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Every address and path of one Envoy, be it the only one of a mesh or that of one service.

    Artifacts are written below `root`. The same object serves one shared Envoy (all hops are pipes), one per service
    (`sidecar`) and one per service on TCP (`overrides`).
    """

    root: str
    """Absolute directory of the configuration."""
    sockets: str
    """Absolute directory of the UNIX sockets; short, because their paths are limited to 103 bytes."""
    port: int
    """Port of the edge, on loopback."""
    services: tuple[str, ...]
    overrides: Mapping[str, Address] = field(default_factory=dict)
    """Other addresses by listener: ``inbound.orders``, ``outbound.orders``, ``edge``, ``admin``."""
    serves: tuple[str, ...] = ()
    """Holders whose listeners this Envoy has; empty when it has them all."""
    material: str = ""
    """Absolute directory of certificates and keys, where several Envoys share them; empty takes `root`."""
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    """File of the authorities (PEM) that vouch for hosts outside the system."""

    def __post_init__(self) -> None:
        """Refuse relative directories, and sockets whose path would be cut short."""
        for directory in (self.root, self.sockets):
            if not directory.startswith("/"):
                raise DeclarationError(
                    f"directory {directory!r} of the mesh is not absolute", hint="give its full path"
                )
        pipes = [self.admin(), *(self.replica(name, LAST_INSTANCE) for name in self.services)]
        pipes += [hop for name in self.services for hop in (self.inbound(name), self.outbound(name))]
        paths = [pipe.path for pipe in pipes if isinstance(pipe, Pipe)]
        longest = max(paths, key=lambda path: len(path.encode()))
        if len(longest.encode()) > SOCKET_LIMIT:
            raise HostError(
                f"socket {longest} takes {len(longest.encode())} bytes; the system allows {SOCKET_LIMIT}",
                hint="use a directory with a shorter path for the sockets",
            )

    def edge(self) -> Address:
        """Locate the listener for requests from outside."""
        return self.overrides.get("edge", Tcp(host="127.0.0.1", port=self.port))

    def admin(self) -> Address:
        """Locate Envoy's administration interface."""
        return self.overrides.get("admin", Pipe(path=f"{self.sockets}/envoy.admin"))

    def inbound(self, service: str) -> Address:
        """Locate where `service` is called, with mTLS."""
        return self.overrides.get(f"inbound.{service}", Pipe(path=f"{self.sockets}/{service}.in"))

    def outbound(self, service: str) -> Address:
        """Locate where `service` sends its calls, in plain HTTP."""
        return self.overrides.get(f"outbound.{service}", Pipe(path=f"{self.sockets}/{service}.out"))

    def legacy(self, application: str) -> Address:
        """Locate an old application."""
        return self.overrides.get(f"legacy.{application}", Pipe(path=f"{self.sockets}/{application}.legacy"))

    def parity_in(self) -> Pipe:
        """Locate where copies of requests are taken, to be compared."""
        return Pipe(path=f"{self.sockets}/parity.in")

    def parity_out(self) -> Pipe:
        """Locate where both sides of a comparison are asked."""
        return Pipe(path=f"{self.sockets}/parity.out")

    def limiter(self) -> Address:
        """Locate who counts requests for all gateways."""
        return self.overrides.get("limiter", Pipe(path=f"{self.sockets}/limiter.grpc"))

    def replica(self, service: str, instance: int) -> Pipe:
        """Locate the socket on which one process of `service` listens."""
        return Pipe(path=f"{self.sockets}/{service}.{instance}")

    def certificate(self, holder: str) -> str:
        """Locate the certificate chain of a service or of the gateway (PEM)."""
        return f"{self.identity(holder)}/certificate.pem"

    def key(self, holder: str) -> str:
        """Locate the private key of a service or of the gateway (PEM); keep it readable by its owner only."""
        return f"{self.identity(holder)}/key.pem"

    def identity(self, holder: str) -> str:
        """Locate the directory of a certificate and its key; Envoy reads both again after a rename in it."""
        return f"{self.shared}/identities/{holder}"

    def trust(self) -> str:
        """Locate the certificate of the authority (PEM), alone in its directory."""
        return f"{self.shared}/trust/ca.pem"

    def jwks(self, issuer: str = "") -> str:
        """Locate the public keys of an issuer of tokens (a JWK set); of the system's own, when none is named.

        The file must exist before Envoy starts, which reads it once; `token_keys` changes them later.
        """
        return f"{self.shared}/jwks/{f'of-{issuer}' if issuer else 'jwks'}.json"

    def access(self) -> str:
        """Locate the access log of every hop."""
        return f"{self.root}/access.jsonl"

    def path(self, artifact: str) -> str:
        """Locate an artifact by its relative path."""
        return f"{self.root}/{artifact}"

    @property
    def shared(self) -> str:
        """Directory of what all Envoys of a mesh read."""
        return self.material or self.root

    @property
    def served(self) -> tuple[str, ...]:
        """Everyone whose listeners this Envoy has."""
        return self.serves or self.holders

    @property
    def holders(self) -> tuple[str, ...]:
        """Everyone who needs a certificate: the services and the gateway."""
        return (*self.services, GATEWAY)

    @property
    def directories(self) -> tuple[str, ...]:
        """Every directory that must exist before Envoy starts."""
        kinds = ("lds", "cds", "rds", "eds", "ecds", "sds", "trust", "jwks")
        watched = [f"{self.root}/{kind}" for kind in kinds]
        return (self.root, self.sockets, *watched, *(self.identity(holder) for holder in self.holders))


def layout_for(plan: Plan, *, root: str, sockets: str = "") -> Layout:
    """Lay out the mesh of `plan` below `root`.

    Args:
        plan: What runs.
        root: Absolute directory of the configuration.
        sockets: Absolute directory of the UNIX sockets; empty takes one below `root`.

    Raises:
        HostError: The path of a socket would be too long for the system.
    """
    services = tuple(service.name for service in plan.services)
    return Layout(root=root, sockets=sockets or f"{root}/s", port=plan.port, services=services)


def edge_alone(layout: Layout) -> Layout:
    """Lay out the Envoy of the edge where services have their own, or none."""
    return replace(layout, serves=(GATEWAY,))


def sidecar(layout: Layout, service: str) -> Layout:
    """Lay out the Envoy of one service, which shares certificates with the others of `layout`."""
    return replace(
        layout,
        root=f"{layout.root}/sidecars/{service}",
        serves=(service,),
        material=layout.shared,
        overrides={**layout.overrides, "admin": Pipe(path=f"{layout.sockets}/{service}.admin")},
    )
