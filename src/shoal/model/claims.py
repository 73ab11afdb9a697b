"""What a token must say besides who its bearer is. Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data

Value = str | bool
"""What a claim may be compared with."""


class Claim(Data, frozen=True, kw_only=True):
    """A claim of the verified token, and the values of which it must have one; a list of them must hold one."""

    name: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        """Refuse a demand that anything or nothing would meet."""
        if not self.name or not self.values or "" in self.values:
            raise DeclarationError(
                f"claim {self.name!r} is asked for without a value", hint='write claim("tenant", "acme")'
            )


def as_texts(value: object) -> tuple[str, ...]:
    """Read a list of texts, or words parted by spaces as in OAuth's ``scope`` (RFC 8693, 4.2)."""
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()


def holds(value: object, wanted: tuple[Value, ...]) -> bool:
    """Tell whether a claim is one of `wanted`, or a list that holds one; ``1`` is not ``true``."""
    found = value if isinstance(value, list) else [value]
    return any(type(one) is type(other) and one == other for one in found for other in wanted)
