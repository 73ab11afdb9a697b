"""The table: calls between services and what must come of them, read from TOML files that hold data only."""

import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from tests.conformance.edge.runner import Reply, differences
from tests.conformance.edge.table import Expect

FOLDER = Path(__file__).parent / "rows"

STRANGERS = ("nobody", "plain", "foreign", "expired")
"""Callers that are none: without a certificate, without TLS, vouched for by somebody else, vouched for too long ago."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call."""

    name: str
    caller: str
    """A service, ``gateway``, or one of `STRANGERS`."""
    to: str = "stock"
    """The service that is called."""
    method: str = "GET"
    path: str
    headers: dict[str, str] = {}
    past: bool = False
    """Whether it comes to the callee's door past the caller's own proxy, with what the caller can show."""
    expect: Expect


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows about one thing."""

    capability: str
    about: str
    rows: tuple[Row, ...]


Call = Callable[[Row], Awaitable[Reply]]
"""Makes a call; an answer of status 0 is none."""


def cases() -> dict[str, Row]:
    """Read every row, by its name."""
    files = sorted(FOLDER.glob("*.toml"))
    tables = [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Table) for file in files]
    return {f"{table.capability}: {row.name}": row for table in tables for row in table.rows}


async def run(row: Row, call: Call) -> tuple[str, ...]:
    """Make one call and list what is otherwise than expected."""
    return tuple(differences(row.expect, await call(row)))
