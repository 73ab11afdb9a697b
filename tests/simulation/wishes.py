"""What clients of the simulated shop want."""

import msgspec


class Wish(msgspec.Struct, kw_only=True):
    """What a client wanted, and what it heard."""

    token: str
    kind: str
    poison: bool = False
    answers: list[int] = msgspec.field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether the client knows that it happened."""
        return any(status < 300 for status in self.answers)

    @property
    def refused(self) -> bool:
        """Whether the client knows that it did not happen."""
        return not self.acknowledged and all(400 <= status < 500 for status in self.answers)
