"""What every answer of the edge tells a browser about itself. Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data

YEAR = 31_536_000


class SecurityHeaders(Data, frozen=True, kw_only=True):
    """Headers that the edge adds where an answer does not have them already; an empty one is left out.

    The defaults suit an API: an answer is never run, framed or named to other sites. A service that serves pages
    says its own ``Content-Security-Policy``, which then holds.
    """

    content_type_options: str = "nosniff"
    referrer_policy: str = "no-referrer"
    content_security_policy: str = "default-src 'none'; frame-ancestors 'none'"
    frame_options: str = "DENY"
    """For browsers that do not know ``frame-ancestors``."""
    transport_security: int = YEAR
    """Seconds for which a browser insists on TLS (HSTS, RFC 6797); only said over TLS, 0 leaves it out."""

    def __post_init__(self) -> None:
        """Refuse what would begin a header of its own."""
        for name in ("content_type_options", "referrer_policy", "content_security_policy", "frame_options"):
            if not getattr(self, name).isprintable() or "%" in getattr(self, name):
                raise DeclarationError(f"{name} holds a character that no header may hold", hint="write it in one line")
        if self.transport_security < 0:
            raise DeclarationError(f"transport_security={self.transport_security} is no duration", hint="use seconds")
