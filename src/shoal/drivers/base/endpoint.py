"""Where an interface of the web is: over TLS, unless it is an emulator on loopback."""

from shoal.errors import DeclarationError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def endpoint(scheme: str, place: str, host: str, tls: str, product: str) -> str:
    """Return the URL of an interface; empty where the address leaves the place to the product.

    Args:
        scheme: Of the address, for messages.
        place: Host and port; empty for the product's own.
        host: Host alone.
        tls: ``1``, or ``0`` for an emulator on loopback.
        product: Whose own place it is.

    Raises:
        DeclarationError: `tls` is neither, or secrets would go over an open network.
    """
    if tls not in ("0", "1"):
        raise DeclarationError(f"the {scheme} address says tls={tls!r}", hint="use tls=1 or tls=0")
    if not place and tls == "1":
        return ""
    if tls == "0" and host not in _LOOPBACK:
        hint = "leave out tls=0; it is for emulators on 127.0.0.1"
        raise DeclarationError(f"the {scheme} address would send secrets in the clear to {host or product}", hint=hint)
    return f"{'https' if tls == '1' else 'http'}://{place}"
