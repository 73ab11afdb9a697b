"""The table: requests and what must come of them, read from TOML files that hold data only."""

import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Literal

import msgspec

FOLDER = Path(__file__).parent / "rows"


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must come of a request; what is left out is not looked at."""

    status: int = 0
    """0 takes any, see `there`."""
    there: bool = False
    """Whether any status but 404, 405 and those of a failed gateway will do."""
    nowhere: bool = False
    """Whether it must be 404, or 403 where a path that is served would hold it too."""
    silent: bool = False
    """Whether the connection must end without any answer."""
    reach: int = 0
    """How many of the requests the service must have seen, each with an answer of its own; 0: not looked at."""
    shares: dict[str, tuple[float, float]] = {}
    """Who answers, as ``seats`` or ``seats@canary`` → least and most share of the answers; nobody else may."""
    problem: str = ""
    """Last part of the problem's type; the answer must then be a problem document that tells nothing of the inside."""
    service: str = ""
    """The service that must have answered; ``-`` when none may have seen the request."""
    operation: str = ""
    """Path that the service must have seen."""
    headers: dict[str, str] = {}
    """Header of the answer → regular expression of its whole value."""
    absent: tuple[str, ...] = ()
    """Headers, or beginnings of headers that end with ``*``, that the answer must not have."""
    received: dict[str, str] = {}
    """Header as the service saw it → regular expression of its whole value; an empty one: it saw none."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request."""

    name: str
    method: str = "GET"
    path: str
    """As it is on the wire, query included."""
    headers: dict[str, str] = {}
    token: str = ""
    """Kind of the token that it bears, such as ``valid`` or ``expired``; none when empty."""
    key: str = ""
    """Kind of the key that it bears in ``X-API-Key``; none when empty."""
    scheme: Literal["", "http", "https"] = ""
    """Base URLs for which it holds; all when empty."""
    plain: bool = False
    """Whether it is sent without TLS wherever the base is."""
    size: int = 0
    """Bytes of its body."""
    times: int = 1
    """How often it is sent; the last answer counts, and all of them for `Expect.reach` and `Expect.shares`."""
    expect: Expect

    def holds(self, base: str, known: Container[str]) -> bool:
        """Say whether it can be asked at `base`, by one who has the `known` kinds of tokens and keys."""
        wanted = [kind for kind in (self.token, self.key) if kind]
        return base.startswith(f"{self.scheme}:" if self.scheme else "") and all(kind in known for kind in wanted)

    def reached(self) -> "Row":
        """Ask only whether something is there, of services that do not say what they saw."""
        there = not self.expect.nowhere
        return msgspec.structs.replace(self, expect=Expect(nowhere=not there, there=there))


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows about one capability."""

    capability: str
    about: str
    rows: tuple[Row, ...]


def tables(folder: Path = FOLDER) -> tuple[Table, ...]:
    """Read every table."""
    files = sorted(folder.glob("*.toml"))
    return tuple(msgspec.convert(tomllib.loads(file.read_text("utf-8")), Table) for file in files)
