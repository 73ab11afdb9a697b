"""What a resource of a cloud may say of another: a reference, and text with references in it. Pure data."""

from typing import TypeAlias

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """An attribute of another resource, which the cloud decides: ``Ref("queue", "ORDERS-0", "arn")``."""

    kind: str
    name: str
    attribute: str = "arn"

    def __str__(self) -> str:
        """Spell it, for people and tests."""
        return f"{self.kind}/{self.name}:{self.attribute}"


class Join(msgspec.Struct, frozen=True):
    """Text with references in it."""

    parts: tuple["str | Ref", ...]

    def __str__(self) -> str:
        """Spell it, for people and tests."""
        return "".join(f"<{part}>" if isinstance(part, Ref) else part for part in self.parts)


Value: TypeAlias = str | Ref | Join

ACCOUNT = Ref("account", "own", "id")
"""Number of the account that the files are applied to."""


def join(*parts: str | Ref) -> Join:
    """Join text and references."""
    return Join(tuple(parts))
