"""The table: requests and what must come of them, read from TOML files that hold data only."""

import tomllib
from pathlib import Path

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
    size: int = 0
    """Bytes of its body."""
    times: int = 1
    """How often it is sent; the last answer counts."""
    expect: Expect

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
