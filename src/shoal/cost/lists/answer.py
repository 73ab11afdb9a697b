"""One answer of a price list over HTTP: tried again where it is busy, and an error where it breaks off."""

import http.client
import io
import time
from email.message import Message
from http import HTTPStatus
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shoal.errors import HostError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_PATIENCE = 60.0
"""Seconds that a list may take to answer, and to go on."""

_TRIES, _LONGEST = 4, 30
"""How often a list is asked that is busy, and seconds that it may make us wait each time."""

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""What a key is refused with; without one it says that there is nothing, as Amazon's files do."""


def answer_of(question: Request) -> IO[bytes]:
    """Open an answer.

    Args:
        question: Asks with a key where it has a header.

    Raises:
        HostError: The key is refused.
        ValueError: There is none.
        OSError: Nobody answers, or `http.client.HTTPException`: what is read breaks off.
    """
    for left in reversed(range(_TRIES)):
        try:
            found = build_opener(_Stays).open(question, timeout=_PATIENCE)
        except HTTPError as error:
            with error:
                if error.code in _REFUSED and question.headers:
                    raise HostError(
                        f"{question.host} refuses to tell prices: {error.code} {error.reason}",
                        hint="look at the key, and whether it may ask for prices; nothing was written",
                    ) from error
                if error.code not in _BUSY or not left:
                    raise ValueError(f"it answers {error.code} {error.reason}") from error
                time.sleep(_pause(error.headers.get("Retry-After", "")))
        else:
            return io.BufferedReader(_Whole(found))
    raise AssertionError("unreachable")  # the last try has returned or raised


def _pause(said: str) -> float:
    return float(min(_LONGEST, int(said))) if said.isdecimal() else 2.0


class _Whole(io.RawIOBase):
    """An answer that has not ended before it is as long as it says: what breaks off is no end."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """Read some of it; raises `http.client.IncompleteRead`."""
        count = self._answer.readinto(buffer)
        if not count and self._answer.length:
            raise http.client.IncompleteRead(b"", self._answer.length)
        return count

    def close(self) -> None:
        """Let go of the connection."""
        self._answer.close()
        super().close()


class _Stays(HTTPRedirectHandler):
    """Follows no redirect, so that a key goes nowhere else."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """Take the redirect for the answer."""
