"""How long answers of an endpoint may be kept, and for whom. Pure data."""

import re

from shoal.errors import DeclarationError
from shoal.model.data import Data

_HEADER = re.compile(r"[a-z0-9-]+")


class Cache(Data, frozen=True, kw_only=True):
    """Answers are kept beside the service, told apart by path, query, principal and the headers in `vary`."""

    seconds: float
    """For so long an answer is kept, unless an event comes first."""
    shared: bool = False
    """Whether proxies and other clients may keep it too; only where no principal is asked for."""
    vary: tuple[str, ...] = ()
    """Further request headers on which the answer depends, in lower case."""
    invalidated_by: tuple[str, ...] = ()
    """Ids of the events after which every kept answer is old."""

    def __post_init__(self) -> None:
        """Refuse a time that keeps nothing, and names that no header has."""
        if not 0 < self.seconds <= 86_400:
            raise DeclarationError(f"a cache for {self.seconds:g} s", hint="use 0 < seconds <= 86400")
        for name in self.vary:
            if not _HEADER.fullmatch(name):
                raise DeclarationError(f"answers cannot vary by {name!r}", hint="name request headers, not '*'")

    @property
    def control(self) -> str:
        """Value of ``Cache-Control`` (RFC 9111): what events can end is asked about each time, which costs a 304."""
        who = "public" if self.shared else "private"
        return f"{who}, no-cache" if self.invalidated_by else f"{who}, max-age={int(self.seconds)}"
