"""What the registry tells of a running system. Pure data; readers ignore what a newer registry adds."""

from typing import Literal

import msgspec

from shoal.errors import DeclarationError

DOMAIN = "shoal.local"
"""Services are called ``orders.shoal.local`` by people; ``.local`` is no public name (RFC 6762)."""

Health = Literal["up", "degraded", "down"]
"""Of a service: all its replicas answer, some do, none does."""


def host_of(service: str) -> str:
    """Spell the name under which a service is found inside the mesh."""
    return f"{service}.{DOMAIN}"


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One replica."""

    name: str
    status: str
    """``ready``, or why not: ``starting``, ``restarting``, ``failed``, ``stopping``, ``stopped``."""
    since: str
    """When it came to that; RFC 3339, UTC."""
    address: str = ""
    """Where it listens; only the proxy is meant to go there."""
    pid: int = 0
    restarts: int = 0


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One service."""

    name: str
    host: str
    """Its name inside the mesh."""
    health: Health
    since: str
    """When its health came to be what it is; RFC 3339, UTC."""
    version: str = ""
    summary: str = ""
    identity: str = ""
    """SPIFFE ID."""
    url: str = ""
    """Base URL for who is outside the mesh; empty when the gateway has no route to it."""
    outbound: str = ""
    """Where it sends its calls; empty when they stay in the process."""
    calls: tuple[str, ...] = ()
    """Services that it may call."""
    replicas: tuple[Instance, ...] = ()


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Every service of a system."""

    system: str
    services: tuple[Listing, ...]

    def service(self, name: str) -> Listing:
        """Find a service by name or host; raises `DeclarationError` with the names that are known."""
        for listing in self.services:
            if name in (listing.name, listing.host):
                return listing
        known = ", ".join(listing.name for listing in self.services)
        raise DeclarationError(f"{self.system} has no service {name!r}", hint=f"its services are: {known}")
