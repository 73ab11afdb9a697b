"""Where the framework's own documents lie beside the author's."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from shoal.drivers.base import Announced, Mark, Message, Pending, Receipt, Row, Table

OUTBOX = Table(
    name="shoal.outbox", key="position", json=frozenset({"headers"}),
    columns=("position", "id", "subject", "key", "headers", "body", "at", "waits", "sequence", "refused"),
)  # fmt: skip
OUTBOX_INDEXES = (("waits", "position"), ("sequence",), ("refused",))
INBOX = Table(name="shoal.inbox", key="mark", columns=("mark", "at"))
RECEIPTS = Table(
    name="shoal.receipts", key="key", json=frozenset({"headers"}),
    columns=("key", "fingerprint", "status", "headers", "body", "lasting", "at"),
)  # fmt: skip
MIGRATIONS = Table(name="shoal.migrations", key="number", columns=("number", "name", "checksum"))
STREAM = Table(name="shoal.stream", key="name", columns=("name", "made", "highest"))
"""One document: which stream the outbox was sent to, and how far."""

PLACES = Table(name="shoal.places", key="name", columns=("name", "place", "twin", "old"))
"""Where each table is whose place a twin may take."""

WAITS = Table(name="shoal.waits", key="owner", columns=("owner", "lock"))
"""Who of those that hold a lock waits for which other one."""

FRAMEWORK = (
    (OUTBOX, OUTBOX_INDEXES),
    (INBOX, (("at",),)),
    (RECEIPTS, (("at",),)),
    (MIGRATIONS, ()),
    (STREAM, ()),
    (PLACES, ()),
    (WAITS, ()),
)


def place(mark: Mark) -> str:
    """Name a mark."""
    return f"{mark.consumer}\n{mark.message_id}\n{mark.at.astimezone(UTC).isoformat(timespec='microseconds')}"


def entry(position: int, message: Message, at: datetime) -> Row:
    """Write a message down."""
    return {
        "position": position, "id": message.id, "subject": message.subject, "key": message.key,
        "headers": msgspec.json.encode(message.headers).decode(), "body": message.body, "at": at,
        "waits": True, "sequence": None, "refused": None,
    }  # fmt: skip


def pending(row: Row) -> Pending:
    """Read a message that waits."""
    headers = msgspec.json.decode(str(row["headers"]), type=dict[str, str])
    found = {name: row[name] for name in ("id", "subject", "body", "key")}
    message = msgspec.convert({**found, "headers": headers}, Message)
    return Pending(position=_whole(row["position"]), message=message)


def announced(row: Row) -> Announced:
    """Read what an auditor wants to know."""
    found: Mapping[str, object] = {**row, "refused": row["refused"] or ""}
    return msgspec.convert(found, Announced)


def answered(receipt: Receipt, at: datetime) -> Row:
    """Write an answer down."""
    headers = msgspec.json.encode(receipt.headers).decode()
    kept = {name: getattr(receipt, name) for name in ("key", "fingerprint", "status", "body", "lasting")}
    return {**kept, "headers": headers, "at": at}


def receipt(row: Row) -> Receipt:
    """Read an answer."""
    headers = msgspec.json.decode(str(row["headers"]))
    return msgspec.convert({**{n: v for n, v in row.items() if n != "at"}, "headers": headers}, Receipt)


def _whole(value: object) -> int:
    return msgspec.convert(value, int)
