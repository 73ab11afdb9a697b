"""Talks to Valkey over its own protocol.

URLs: ``valkey://USER:PASSWORD@/PART?socket=/path`` through a UNIX socket, ``valkey://USER:PASSWORD@HOST:6379/PART``
over a network, ``valkeys://`` with TLS, whose authority may be named: ``?ca=/file``. A cluster is ``valkey+cluster://``
or ``valkeys+cluster://``, with some of its servers: ``HOST:6379,HOST:6379``. Every key begins with the part's name,
which is all that the user may see.
"""

from shoal.drivers.base import Cache
from shoal.drivers.valkey.address import prefix_of, read
from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS, ValkeyCache
from shoal.drivers.valkey.cluster import Cluster
from shoal.drivers.valkey.link import Link

__all__ = ["CLUSTER_COMMANDS", "COMMANDS", "ValkeyCache", "cache", "prefix_of"]


def cache(url: str) -> Cache:
    """Return the driver, not yet connected."""
    address = read(url)
    link = Cluster(address.doors) if address.cluster else Link(address.doors[0])
    return ValkeyCache(link, address.prefix, within=address.within)
