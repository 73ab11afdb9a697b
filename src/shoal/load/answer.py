"""What came back, and that a visitor left because of it."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from shoal.errors import ShoalError

T = TypeVar("T")

REFUSALS = (429, 503)
"""Statuses by which a system says that it will not, now; any other from 400 on is a failure."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    status: int
    headers: Mapping[str, str] = {}
    """By lower-case name."""
    body: bytes = b""

    def read(self, kind: type[T]) -> T:
        """Read the body as JSON of a type; fields that the type does not have are left out."""
        return msgspec.json.decode(self.body, type=kind)

    def json(self) -> Any:
        """Read the body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """Why it was refused, by the `type` of its problem document (RFC 9457); empty when it does not say."""
        try:
            document = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""
        kind = document.get("type") if isinstance(document, dict) else ""
        return kind.rpartition(":")[2].rpartition("/")[2][:40] if isinstance(kind, str) else ""


class Left(ShoalError):
    """A visitor was refused or failed, and goes; raised out of every request that a journey did not expect to fail."""

    def __init__(self, message: str, *, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.answer = answer
        """None when none came."""
