"""The address of one of Amazon's interfaces: ``SCHEME://ACCESS:SECRET@HOST:PORT/NAME?region=eu-central-1``.

Without keys the client looks for them where Amazon's clients always do (environment, role of the machine or pod), and
without a host it asks Amazon itself: ``dynamodb:///orders?region=eu-central-1``. ``tls=0`` is for
emulators on loopback.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.endpoint import endpoint
from shoal.errors import DeclarationError

_SHARED = frozenset({"region", "tls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAddress:
    """Where one interface is, and who we are there.

    Args:
        region: Name of the region; empty for the one that the client finds for itself.
        endpoint: URL that is asked instead of Amazon's own; empty for that one.
        access: Id of the access key; empty for the client's own search.
        secret: The access key.
        name: What the path says: a prefix, or whatever its driver makes of it.
        options: What else the URL says, for its driver.
    """

    region: str = ""
    endpoint: str = ""
    access: str = ""
    secret: str = field(default="", repr=False)
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it is, without secrets."""
        return self.endpoint or f"AWS {self.region}".rstrip()


def read(url: str, known: Collection[str] = ()) -> AwsAddress:
    """Read an address.

    Args:
        url: As above.
        known: Names of the parameters that its driver takes besides.

    Raises:
        DeclarationError: A parameter is unknown, half of the keys is missing, or secrets would go over an open network.
    """
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - _SHARED - {*known}):
        hint = f"use: {', '.join(sorted(_SHARED | {*known}))}"
        raise DeclarationError(f"the {parts.scheme} address has an unknown parameter {unknown[0]!r}", hint=hint)
    access, secret = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(access) != bool(secret):
        hint = f"{parts.scheme}://ACCESS:SECRET@..., or neither for the keys of the machine"
        raise DeclarationError(f"the {parts.scheme} address has one half of its keys", hint=hint)
    return AwsAddress(
        region=given.get("region", ""),
        endpoint=endpoint(
            parts.scheme, parts.netloc.rpartition("@")[2], parts.hostname or "", given.get("tls", "1"), "AWS"
        ),
        access=access,
        secret=secret,
        name=unquote(parts.path.removeprefix("/")),
        options={name: value for name, value in given.items() if name not in _SHARED},
    )
