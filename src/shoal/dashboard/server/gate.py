"""Who may come in: the owner of this machine, by a token, from a page of ours."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from shoal.errors import Problem

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names by which it is asked; another one is a page elsewhere that made its name point here (DNS rebinding)."""

ACTION = "x-shoal-token"
"""The header of what changes something. A page elsewhere can make a browser send our cookie, but no header."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of every answer: our own files alone; what stands in a page is named by its hash."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_DAYS = 30


class Gate:
    """Knows the token of this project's dashboard.

    Args:
        token: What the link carries; the cookie and the header carry words derived from it, so that neither can be
            used as a link.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._cookie = _derived(token, "cookie")
        self.action = _derived(token, "action")
        """What the pages send with what changes something."""

    def fits(self, offered: str) -> bool:
        """Say whether this is the token of a link."""
        return hmac.compare_digest(offered.encode(), self._token.encode())

    def cookie(self, headers: Mapping[str, str]) -> str:
        """Write the cookie of who came with the link."""
        return f"{_cookie_name(headers)}={self._cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_DAYS * 24 * 3600}"

    def entered(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request carries that cookie."""
        wanted = _cookie_name(headers)
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == wanted and hmac.compare_digest(value.encode("latin-1", "replace"), self._cookie.encode()):
                return True
        return False

    def check_action(self, headers: Mapping[str, str]) -> None:
        """Refuse what changes something unless a page of ours sent it.

        Raises:
            Problem: The header is not there or not right, or another site sent it (403).
        """
        offered = headers.get(ACTION, "")
        foreign = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if foreign or not hmac.compare_digest(offered.encode("latin-1", "replace"), self.action.encode()):
            raise Problem(403, "no-token", "what changes something needs the header X-Shoal-Token; reload the page")


def check_host(headers: Mapping[str, str]) -> None:
    """Refuse names that are not ours.

    Raises:
        Problem: It was asked by another name (421).
    """
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() not in HOSTS:
        raise Problem(421, "misdirected-request", f"{host!r} is no name of this dashboard")


def _cookie_name(headers: Mapping[str, str]) -> str:
    """Tell dashboards on several ports apart: browsers give a cookie to every port of a host."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"shoal_{port}" if port.isdigit() else "shoal"


def _derived(token: str, purpose: str) -> str:
    made = hmac.new(token.encode(), f"shoal dashboard {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
