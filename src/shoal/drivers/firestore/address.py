"""The address of a database of Firestore: ``firestore:///PROJECT/DATABASE``.

A service is known by its service account. ``firestore://HOST:PORT/PROJECT/DATABASE?tls=0`` is for emulators on
loopback, which are asked without credentials.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.endpoint import endpoint
from shoal.errors import DeclarationError

_PLACE = "https://firestore.googleapis.com"
_PATH = re.compile(r"([a-z][a-z0-9.:-]{4,}[a-z0-9])/([a-z][a-z0-9-]{2,61}[a-z0-9]|\(default\))")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirestoreAddress:
    """Where Firestore is, and the database in it.

    Args:
        place: URL of the interface.
        database: Its name in full, ``projects/PROJECT/databases/DATABASE``.
        emulated: Whether it is an emulator, which knows nobody.
    """

    place: str
    database: str
    emulated: bool


def read(url: str) -> FirestoreAddress:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - {"tls"}):
        raise DeclarationError(f"the firestore address has an unknown parameter {unknown[0]!r}", hint="use: tls")
    if parts.username or parts.password:
        hint = "leave them out: a service is known by its service account"
        raise DeclarationError("the firestore address has a user or a password", hint=hint)
    path = _PATH.fullmatch(unquote(parts.path.removeprefix("/")))
    if path is None:
        hint = "use firestore:///PROJECT/DATABASE; a database has 4 to 63 lower-case letters, digits and '-'"
        raise DeclarationError(f"the firestore address names no database: {parts.path!r}", hint=hint)
    tls = given.get("tls", "1")
    place = endpoint(parts.scheme, parts.netloc, parts.hostname or "", tls, "Firestore") or _PLACE
    return FirestoreAddress(place=place, database=f"projects/{path[1]}/databases/{path[2]}", emulated=tls == "0")
