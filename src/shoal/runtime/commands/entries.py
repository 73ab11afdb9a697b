"""What is kept of one command, in the service's own store.

Rows are added and, when their time is over, let go of; nobody changes one. They name no body and no personal value.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from shoal.drivers.base import OwnTable, Row

KEPT = timedelta(days=365)
"""For how long a row stays at least."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COMMANDS = OwnTable(
    name="commands",
    key="id",
    columns=(
        ("id", "text"),
        ("at", "time"),
        ("kept_until", "time"),
        ("operation", "text"),
        ("path", "json"),
        ("subject", "text"),
        ("issuer", "text"),
        ("roles", "json"),
        ("idempotency_key", "text"),
        ("trace_id", "text"),
        ("caller", "text"),
        ("status", "integer"),
        ("problem", "text"),
    ),
    indexes=(("subject",), ("kept_until",)),
    kept_until="kept_until",
)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One command."""

    id: str
    """Sorts by time."""
    at: datetime
    operation: str
    path: Mapping[str, str] = {}
    """What stood in the path, by name; ``***`` for what is personal."""
    subject: str = ""
    """Whom the command was done for; empty where nobody had to say who they are."""
    issuer: str = ""
    """Who vouches for the subject; empty for the system's own issuer."""
    roles: tuple[str, ...] = ()
    idempotency_key: str = ""
    trace_id: str
    caller: str = ""
    """The service, or the gateway, that the mesh saw asking; empty where there is no mesh."""
    status: int
    problem: str = ""
    """Code of the problem that was answered; empty where none was."""


def identifier(at: datetime) -> str:
    """Make an id whose order is that of time, to the microsecond (UUID version 7, RFC 9562, section 6.2, method 3)."""
    milliseconds, microseconds = divmod((at - EPOCH) // timedelta(microseconds=1), 1000)
    chance = uuid.uuid4().int & ((1 << 64) - 1)  # its variant is where version 7 has it, too
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | microseconds * 4096 // 1000 << 64 | chance))


def to_row(entry: Entry) -> Row:
    """Spread an entry over its columns."""
    plain = msgspec.structs.asdict(entry)
    listed = {name: msgspec.json.encode(plain[name]).decode() for name in ("path", "roles")}
    return {**plain, **listed, "kept_until": entry.at + KEPT}


def from_row(row: Row) -> Entry:
    """Read an entry from its row."""
    listed = {name: msgspec.json.decode(str(row[name])) for name in ("path", "roles")}
    return msgspec.convert({**row, **listed}, Entry)
