"""Azure Key Vault, or a managed HSM, as a key ring. URLs: ``keyvault://VAULT.vault.azure.net/KEY``.

``?algorithm=A256KW`` is for a symmetric key of a managed HSM; ``tls=0`` for emulators on loopback.
"""

from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.azure.identity import bearer
from shoal.drivers.base import KeyRing
from shoal.drivers.base.endpoint import endpoint
from shoal.drivers.base.rest import Rest
from shoal.drivers.keyvault.ring import ALGORITHMS, VaultKeyRing
from shoal.drivers.keyvault.vault import NAME, PRODUCT, Vault
from shoal.errors import DeclarationError

__all__ = ["key_ring"]

_USE = "keyvault://VAULT.vault.azure.net/KEY"


def key_ring(url: str) -> KeyRing:
    """Return the ring whose key the URL names."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    key, algorithm = unquote(parts.path.removeprefix("/")), given.get("algorithm", ALGORITHMS[0])
    if unknown := sorted(given.keys() - {"algorithm", "tls"}):
        raise DeclarationError(f"the keyvault address has an unknown parameter {unknown[0]!r}", hint=f"use: {_USE}")
    if not parts.hostname or not NAME.fullmatch(key):
        raise DeclarationError(f"the keyvault address names no key of a vault: {key!r}", hint=f"use: {_USE}")
    if algorithm not in ALGORITHMS:
        raise DeclarationError(f"keys are not wrapped by {algorithm!r}", hint=f"use: {', '.join(ALGORITHMS)}")
    base = endpoint(parts.scheme, parts.netloc, parts.hostname, given.get("tls", "1"), PRODUCT)
    resource = f"https://{parts.hostname.partition('.')[2]}"
    rest = Rest(f"{PRODUCT} at {parts.netloc}")
    return VaultKeyRing(Vault(rest, base, bearer(rest, resource)), key, algorithm)
