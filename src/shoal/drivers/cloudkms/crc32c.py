"""The checksum CRC-32C (RFC 3720, appendix B.4), for a few bytes."""

_POLYNOMIAL = 0x82F63B78
_ALL = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Compute it."""
    found = _ALL
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (_POLYNOMIAL if found & 1 else 0)
    return found ^ _ALL
