"""Tokens signed with the key of the project."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shoal import model
from shoal.errors import DeclarationError
from shoal.local import layout
from shoal.local.secrets import signing_key


def sign(
    root: Path,
    system: model.System,
    subject: str,
    roles: Sequence[str],
    claims: Mapping[str, Any],
    lifetime: float = 3600.0,
) -> str:
    """Sign a token for `subject` as the system's issuer would."""
    from shoal.tokens import Signer

    issuer = system.gateway.issuer
    if issuer is None:
        raise DeclarationError(
            f"system {system.name} has no issuer of tokens", hint="declare System(..., issuer=Issuer(...))"
        )
    place = layout.layout_of(root)
    layout.make(place)
    key = signing_key(place.secrets).private.read_bytes()
    own = {"roles": list(roles), **claims} if roles else dict(claims)
    return Signer(key, issuer=issuer.name, audience=issuer.audience).sign(subject, time.time(), lifetime, own)
