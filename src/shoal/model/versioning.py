"""Versions of an operation side by side, and how one of them ends. Pure data."""

import datetime as dt
import re

from shoal.errors import DeclarationError
from shoal.model.data import Data

_TOKEN = re.compile(r"[a-z0-9-]+")


class Version(Data, frozen=True, kw_only=True):
    """Which version of an operation an endpoint is, and until when."""

    number: int = 0
    """Served below ``/v{number}``, and where the header asks for it; 0 is an endpoint without versions."""
    path: str = ""
    """Path template without the version."""
    deprecated: dt.datetime | None = None
    """From when on nobody should begin to use it (``Deprecation``, RFC 9745)."""
    sunset: dt.datetime | None = None
    """From when on it answers 410 (``Sunset``, RFC 8594)."""

    def __post_init__(self) -> None:
        """Refuse a version below 1, a time of no place, and an end before its announcement."""
        if self.number < 0 or self.number > 9999:
            raise DeclarationError(f"version={self.number} is no version", hint="count from 1")
        for name in ("deprecated", "sunset"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise DeclarationError(f"{name}={moment} has no time zone", hint="add tzinfo=datetime.UTC")
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            raise DeclarationError(
                f"it ends on {self.sunset:%Y-%m-%d}, before it is deprecated on {self.deprecated:%Y-%m-%d}",
                hint="a sunset comes after the deprecation",
            )


class Versions(Data, frozen=True, kw_only=True):
    """How clients of the gateway say which version they want, besides the path."""

    header: str = "api-version"
    """Header that names the number, for the path without version."""
    default: int = 0
    """Version for who names none; 0 takes the lowest, so that old clients never meet a new one unasked."""

    def __post_init__(self) -> None:
        """Refuse a name that no header has."""
        if not _TOKEN.fullmatch(self.header) or self.default < 0:
            raise DeclarationError(
                f"Versions(header={self.header!r}, default={self.default}) cannot be",
                hint="use a lower-case name of a header, and a version from 1",
            )


class Wanted(Data, frozen=True, kw_only=True):
    """What a request for a path without version says of the version it wants."""

    header: str
    value: str
    """`NONE`, `UNKNOWN`, or the number."""

    def met(self, said: str | None) -> bool:
        """Tell whether a request is meant whose header says this; None where it has none."""
        if self.value == UNKNOWN:
            return said is not None
        return self.value == NONE if said is None else self.value == said


NONE = ""
"""It names no version."""

UNKNOWN = "*"
"""It names one that there is not."""


def prefix(number: int) -> str:
    """Return the beginning of the paths of a version."""
    return f"/v{number}" if number else ""


def moment(value: dt.date | None) -> dt.datetime | None:
    """Read a day as its beginning in UTC, and leave a time as it is."""
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
