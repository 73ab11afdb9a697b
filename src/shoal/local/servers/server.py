"""What a run needs to know of an engine's server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from shoal.local.engines import Recipe
from shoal.local.site import Site, World
from shoal.local.unit import Unit
from shoal.model.objects import ObjectsPlan


class Place(NamedTuple):
    """A database and who enters it."""

    scheme: str
    role: str
    password: str
    database: str
    pooled: bool = False
    """Whether to use it as if each transaction met another session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server of one engine, or of several."""

    name: str
    """Among the engines of a plan."""
    recipe: Callable[[Site], Recipe]
    ports: tuple[str, ...] = ()
    """Names of the loopback ports that it wants."""
    store: Callable[[World, Place], str] | None = None
    """Address of a database for its role."""
    store_operator: Callable[[World], str] | None = None
    """Address for who declares databases; its password is kept under the server's name."""
    broker: Callable[[World, str], str] | None = None
    """Address of the broker for a user."""
    objects: Callable[[World, ObjectsPlan], str] | None = None
    """Address of a service's objects."""
    objects_operator: Callable[[World, ObjectsPlan], str] | None = None
    """Address for who makes the place of a service's objects, where that is to be done."""
    renew: Callable[[Site, Unit], Awaitable[None]] | None = None
    """Lets a running broker take up the rights of a site that has changed."""
