"""What was asked and what was done, on disk before it is answered."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_TABLES = """
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL, requests INTEGER NOT NULL,
    status INTEGER, body TEXT
);
CREATE TABLE IF NOT EXISTS effects (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    charge TEXT NOT NULL, reference TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS effects_by_key ON effects (key);
CREATE INDEX IF NOT EXISTS effects_by_charge ON effects (charge);
"""


_EFFECT = ("id", "kind", "amount", "currency", "charge", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered, now and to every repetition."""

    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Money that moved."""

    id: str
    kind: Literal["charge", "refund"]
    amount: int
    currency: str
    charge: str
    """The charge itself, or the one that is given back."""
    reference: str
    """The shop's own number for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a key when a request with it arrives."""

    attempt: int
    """Which request under this key it is, from 1."""
    is_same: bool
    """Whether it asks for the same as the first."""
    answer: Answer | None


class Ledger:
    """Requests and effects by idempotency key; safe to use from many threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def note(self, key: str, path: str, fingerprint: str) -> Entry:
        """Count a request, and look up what is known of its key."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO requests VALUES (?, ?, ?, 1, NULL, NULL)"
                " ON CONFLICT (key) DO UPDATE SET requests = requests + 1",
                (key, path, fingerprint),
            )
            row = db.execute(
                "SELECT requests, path, fingerprint, status, body FROM requests WHERE key = ?", (key,)
            ).fetchone()
        attempt, first_path, first, status, body = row
        answer = None if status is None else Answer(status=status, body=body)
        return Entry(attempt=attempt, is_same=(first_path, first) == (path, fingerprint), answer=answer)

    def commit(self, key: str, answer: Answer, effect: Effect | None) -> None:
        """Keep an answer together with what it says was done."""
        with self._transaction() as db:
            db.execute("UPDATE requests SET status = ?, body = ? WHERE key = ?", (answer.status, answer.body, key))
            if effect is not None:
                row = (effect.id, key, effect.kind, effect.amount, effect.currency, effect.charge, effect.reference)
                db.execute("INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def effects_of(self, charge: str) -> tuple[Effect, ...]:
        """List a charge and what was given back of it."""
        query = f"SELECT {', '.join(_EFFECT)} FROM effects WHERE charge = ? ORDER BY rowid"  # noqa: S608
        with self._transaction() as db:
            rows = db.execute(query, (charge,)).fetchall()
        return tuple(Effect(**dict(zip(_EFFECT, row, strict=True))) for row in rows)

    def charges(self, *, after: str = "", before: str = "", limit: int = 10) -> tuple[tuple[Effect, ...], bool]:
        """List charges, the newest first, as Stripe's pages do; and whether there are more beyond the page.

        `after` and `before` are ids: what is older than the one, what is newer than the other and next to it.
        """
        where, order, mark = "", "DESC", after or before
        if mark:
            where = f"AND rowid {'<' if after else '>'} (SELECT rowid FROM effects WHERE id = ?)"  # noqa: S608 - our words
            order = "DESC" if after else "ASC"
        query = f"SELECT {', '.join(_EFFECT)} FROM effects WHERE kind = 'charge' {where} ORDER BY rowid {order} LIMIT ?"  # noqa: S608
        with self._transaction() as db:
            rows = db.execute(query, (*([mark] if mark else []), limit + 1)).fetchall()
        found = [Effect(**dict(zip(_EFFECT, row, strict=True))) for row in rows[:limit]]
        return tuple(found[::-1] if order == "ASC" else found), len(rows) > limit

    def snapshot(self) -> dict[str, Any]:
        """Show everything that was counted."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT r.key, r.path, r.requests, r.status, COUNT(e.id), COALESCE(SUM(e.amount), 0),"
                " MAX(e.currency), MAX(e.reference) FROM requests r LEFT JOIN effects e ON e.key = r.key"
                " GROUP BY r.key ORDER BY r.rowid"
            ).fetchall()
            sums = db.execute("SELECT kind, COUNT(*), SUM(amount) FROM effects GROUP BY kind").fetchall()
        names = ("path", "requests", "status", "effects", "amount", "currency", "reference")
        counted = {kind: {"count": count, "amount": amount} for kind, count, amount in sums}
        nothing = {"count": 0, "amount": 0}
        return {
            "keys": {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows},
            "totals": {
                "requests": sum(row[2] for row in rows),
                "charges": counted.get("charge", nothing),
                "refunds": counted.get("refund", nothing),
            },
        }

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:
            yield self._db
