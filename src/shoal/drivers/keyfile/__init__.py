"""A key ring in a file, for one machine: whoever can read the file can read everything that is wrapped by it."""

from shoal.drivers.keyfile.ring import key_ring

__all__ = ["key_ring"]
