"""What the door is told."""

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, and what is behind it."""

    port: int
    folders: dict[str, str]
    """Address of the objects of each service; its key is in it."""

    def __repr__(self) -> str:
        """Show no key."""
        return f"Settings(port={self.port})"
