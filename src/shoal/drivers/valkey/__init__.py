"""Talks to Valkey over its own protocol.

URLs: ``valkey://USER:PASSWORD@/PREFIX?socket=/path`` through a UNIX socket; every key begins with the prefix, which is
all that the user may see.
"""

from shoal.drivers.base import Cache
from shoal.drivers.valkey.cache import COMMANDS, ValkeyCache, prefix_of

__all__ = ["COMMANDS", "ValkeyCache", "cache", "prefix_of"]


def cache(url: str) -> Cache:
    """Return the driver, not yet connected."""
    return ValkeyCache.of(url)
