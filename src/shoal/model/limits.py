"""How often something may be asked for. Pure data."""

from typing import Literal

from shoal.errors import DeclarationError
from shoal.model.data import Data

Who = Literal["principal", "address", "everyone"]
"""Whose requests are counted together."""

Sharing = bool | Literal["counted"]
"""What gateways have of a limit together: nothing, parts (`True`), or one count, which is asked on each request."""


class RateLimit(Data, frozen=True, kw_only=True):
    """A bucket of tokens: each request takes one, and they come back at a steady rate."""

    requests: int
    """Tokens that come back within `per` seconds."""
    per: float = 1.0
    burst: int = 0
    """Tokens in a full bucket; 0 takes `requests`."""
    by: Who = "principal"
    """Who has a bucket: each principal (an address, where nobody is signed in), each address, or all one together."""
    shared: Sharing = False
    """Whether all gateways together let through no more: each its part, or counted in one place."""

    def __post_init__(self) -> None:
        """Refuse what would let nothing or everything through."""
        if not 1 <= self.requests <= 1_000_000 or not 0.05 <= self.per <= 86_400 or self.burst < 0:
            raise DeclarationError(
                f"{self.requests} requests per {self.per:g} s with a burst of {self.burst} is no limit",
                hint="use 1 to 1000000 requests per 0.05 to 86400 s, and a burst of at least 1",
            )

    @property
    def counted(self) -> bool:
        """Whether the requests at all gateways are counted in one place."""
        return self.shared == "counted"

    @property
    def size(self) -> int:
        """Tokens in a full bucket."""
        return self.burst or self.requests

    def whose(self, *, signed_in: bool) -> Who:
        """Say who has a bucket of an operation, by whether its callers are signed in."""
        return "address" if self.by == "principal" and not signed_in else self.by
