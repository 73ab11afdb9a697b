"""How the gateway changes a request on its way in, and its answer on the way out. Pure data."""

import re

import msgspec

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.untrusted import is_untrusted

_NAME = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")

FRAMING = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that say where a message ends and where it goes; changing them would let two readers disagree."""


class Headers(Data, frozen=True, kw_only=True):
    """Changes of a message's headers; names are compared without regard to case."""

    set: dict[str, str] = msgspec.field(default_factory=dict)
    """Headers that get this value, whatever they had."""
    add: dict[str, str] = msgspec.field(default_factory=dict)
    """Headers that get this value besides what they have."""
    remove: tuple[str, ...] = ()
    """Headers that are taken away."""

    def __post_init__(self) -> None:
        """Refuse names and values that no header can have, and what belongs to the gateway."""
        for name in (*self.set, *self.add, *self.remove):
            _check_name(name.lower())
        for value in (*self.set.values(), *self.add.values()):
            if not _VALUE.fullmatch(value):
                raise DeclarationError(f"{value!r} is no value of a header", hint="use printable ASCII")


class Query(Data, frozen=True, kw_only=True):
    """Changes of a request's query parameters."""

    set: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameters that get this value, whatever they had."""
    remove: tuple[str, ...] = ()
    """Parameters that are taken away."""


class Transform(Data, frozen=True, kw_only=True):
    """Everything that changes between the client and the service."""

    path: str = ""
    """Path template under which clients find the endpoint, with the same parameters; its own when empty."""
    request: Headers = Headers()
    response: Headers = Headers()
    query: Query = Query()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DeclarationError(
            f"{name!r} is no name of a header", hint="use letters, digits and hyphens; no underscores"
        )
    if name in FRAMING or is_untrusted(name) or name == "authorization":
        raise DeclarationError(
            f"the gateway does not change the header {name} for an endpoint",
            hint="it says how messages end, where they go or who sends them; use a header of your own",
        )
