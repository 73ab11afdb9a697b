"""Talks to Valkey over its own protocol.

URLs: ``valkey://USER:PASSWORD@/PART?socket=/path`` through a UNIX socket, ``valkey://USER:PASSWORD@HOST:6379/PART``
over a network, ``valkeys://`` with TLS, whose authority may be named: ``?ca=/file``. Every key begins with the part's
name, which is all that the user may see. A server of a cluster that sends elsewhere is not followed.
"""

from shoal.drivers.base import Cache
from shoal.drivers.valkey.cache import COMMANDS, ValkeyCache, prefix_of

__all__ = ["COMMANDS", "ValkeyCache", "cache", "prefix_of"]


def cache(url: str) -> Cache:
    """Return the driver, not yet connected."""
    return ValkeyCache.of(url)
