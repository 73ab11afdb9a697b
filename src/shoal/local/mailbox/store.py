"""The mails of a mailbox, kept in one file of JSON lines, so that they survive restarts."""

import email
import email.message
import email.policy
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FILE = "messages.jsonl"
"""Name of the file in the mailbox's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail. A second delivery under the same Message-ID is counted, not kept."""

    id: int
    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    body: str
    received_at: str
    deliveries: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON interface shows it; the sender is called ``from``."""
        return {
            "id": self.id,
            "message_id": self.message_id,
            "from": self.sender,
            "to": list(self.to),
            "subject": self.subject,
            "body": self.body,
            "received_at": self.received_at,
            "deliveries": self.deliveries,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What SMTP handed over: the envelope and the raw message; `at` is an ISO 8601 time."""

    sender: str
    to: tuple[str, ...]
    content: bytes
    at: str


class Store:
    """All mails, by Message-ID, in the order of their first delivery."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mails: dict[str, Mail] = {}
        for line in _lines(file):
            mail = _parse(line)
            if mail is not None:
                self._count(mail)

    def mails(self) -> tuple[Mail, ...]:
        """Return every mail, oldest first."""
        return tuple(self._mails.values())

    def add(self, delivery: Delivery) -> Mail:
        """Keep a delivery; it is written before this returns.

        Raises:
            OSError: It cannot be written, as on a full disk.
        """
        mail = _read(delivery, number=len(self._mails) + 1)
        # A leading line feed separates it from a line that was cut short by a kill.
        with self._file.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(mail.as_json(), ensure_ascii=False) + "\n")
        return self._count(mail)

    def _count(self, mail: Mail) -> Mail:
        known = self._mails.get(mail.message_id)
        kept = replace(known, deliveries=known.deliveries + 1) if known else mail
        self._mails[mail.message_id] = kept
        return kept


def _lines(file: Path) -> Iterator[str]:
    if file.exists():
        yield from file.read_text("utf-8", "replace").splitlines()


def _parse(line: str) -> Mail | None:
    try:
        found = json.loads(line)
        found["sender"], found["to"] = found.pop("from"), tuple(found["to"])
        return Mail(**found)
    except (ValueError, TypeError, KeyError):  # empty, or cut short
        return None


def _read(delivery: Delivery, number: int) -> Mail:
    message = email.message_from_bytes(delivery.content, policy=email.policy.default)
    return Mail(
        id=number,
        message_id=_header(message, "Message-ID") or f"<none-{number}@mailbox>",
        sender=_header(message, "From") or delivery.sender,
        to=delivery.to,
        subject=_header(message, "Subject"),
        body=_body(message),
        received_at=delivery.at,
    )


def _header(message: email.message.EmailMessage, name: str) -> str:
    try:
        return str(message[name] or "").strip()
    except Exception:  # noqa: BLE001 - the standard parser fails in many ways on malformed headers
        return ""


def _body(message: email.message.EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content()).strip()
    except (LookupError, KeyError):  # an unknown charset or content type
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace").strip() if isinstance(payload, bytes) else ""
