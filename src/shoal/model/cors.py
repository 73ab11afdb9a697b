"""Which pages of other origins may call the gateway from a browser (CORS, the Fetch standard). Pure data."""

import re

from shoal.errors import DeclarationError
from shoal.model.data import Data

ANY = "*"
"""Every origin."""

_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Cors(Data, frozen=True, kw_only=True):
    """What a browser lets pages of other origins do; programs that are no browsers do not look at it."""

    origins: tuple[str, ...]
    """Such as ``https://shop.example``, exactly as a browser sends them; ``*`` is every origin."""
    methods: tuple[str, ...] = ()
    """Empty takes the methods that the gateway serves."""
    headers: tuple[str, ...] = (
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "API-Version",
        "If-None-Match",
        "Last-Event-ID",
    )
    """Headers that a page may send."""
    exposed: tuple[str, ...] = ("Location", "ETag", "Retry-After", "X-Trace-Id")
    """Headers of answers that a page may read, besides those that it always may."""
    credentials: bool = False
    """Whether a page may send cookies along; a token in ``Authorization`` needs no such permission."""
    max_age: float = 600.0
    """Seconds for which a browser remembers the answer to a preflight."""

    def __post_init__(self) -> None:
        """Refuse what no browser would match, and credentials for everybody."""
        _check_origins(self.origins)
        if self.credentials and ANY in self.origins:
            raise DeclarationError(
                "CORS allows every origin ('*') and credentials: any page could act as its visitor",
                hint="name the origins, or leave out credentials=True",
            )
        for name in (*self.methods, *self.headers, *self.exposed):
            if name == ANY or not _TOKEN.fullmatch(name):
                raise DeclarationError(
                    f"CORS names {name!r}, which is no name", hint="list methods and headers one by one"
                )
        if not 0 <= self.max_age <= 86_400:
            raise DeclarationError(f"CORS max_age={self.max_age:g} s is out of range", hint="use 0 to 86400")


def _check_origins(origins: tuple[str, ...]) -> None:
    if not origins:
        raise DeclarationError("CORS allows no origin", hint='name one: Cors(origins=("https://shop.example",))')
    for origin in origins:
        if origin != ANY and not _ORIGIN.fullmatch(origin):
            raise DeclarationError(
                f"{origin!r} is no origin",
                hint="write it as browsers send it: scheme://host or scheme://host:port, lower case, no path",
            )
