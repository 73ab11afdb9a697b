"""Key rings of services under test."""

from shoal.drivers.base import KeyRing
from shoal.service.declare import Service
from shoal.service.records import personal_data


def ring_for(service: Service) -> KeyRing | None:
    """Make a key ring in memory; None for a service without personal data."""
    if not personal_data(service):
        return None
    from shoal.drivers.memory.keyring import MemoryKeyRing  # noqa: PLC0415 - cryptography takes 0.1 s to import

    return MemoryKeyRing()
