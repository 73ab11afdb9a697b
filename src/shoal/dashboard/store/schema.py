"""The tables of a run's file, and how a file is opened.

Times and durations are microseconds. A span's identifiers are numbers; its trace is the trace's number, which is
the order in which traces came first. What a span says besides (attributes, events, links, message) is one JSON text,
for it is read only when somebody looks at the span.

A *mark* is a number that stands for something to look for (a service, an operation, ``key=value``, an error), and a
row says that a trace has it. So a search walks down the numbers of traces that have a mark, newest first.
"""

import hashlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from shoal.errors import ShoalError

FORMAT = 4
"""Number of this form of a file; another one is refused."""

APPLICATION = 0x53686F61
"""What SQLite's header says of whose file it is: ``Shoa``."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE resources (id INTEGER PRIMARY KEY, service TEXT NOT NULL, replica TEXT NOT NULL, attributes TEXT NOT NULL);
CREATE TABLE operations (id INTEGER PRIMARY KEY, service TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE edges (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL
);
CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE traces (
  n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, started INTEGER NOT NULL, took INTEGER NOT NULL,
  spans INTEGER NOT NULL, errors INTEGER NOT NULL, root INTEGER NOT NULL, rooted INTEGER NOT NULL,
  services TEXT NOT NULL
);
CREATE INDEX traces_started ON traces (started);
CREATE INDEX traces_took ON traces (took);
CREATE TABLE spans (
  n INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span INTEGER NOT NULL, parent INTEGER NOT NULL,
  operation INTEGER NOT NULL, resource INTEGER NOT NULL, started INTEGER NOT NULL, took INTEGER NOT NULL,
  status INTEGER NOT NULL, detail BLOB NOT NULL
);
CREATE UNIQUE INDEX spans_trace ON spans (trace, span);
CREATE INDEX spans_bad ON spans (started) WHERE status = 2;
CREATE TABLE marks (what INTEGER NOT NULL, trace INTEGER NOT NULL, PRIMARY KEY (what, trace)) WITHOUT ROWID;
CREATE TABLE logs (
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, resource INTEGER NOT NULL, severity INTEGER NOT NULL,
  message TEXT NOT NULL, trace BLOB, span INTEGER NOT NULL, attributes BLOB NOT NULL
);
CREATE INDEX logs_at ON logs (at, n);
CREATE INDEX logs_bad ON logs (at, n) WHERE severity >= 13;
CREATE INDEX logs_trace ON logs (trace) WHERE trace IS NOT NULL;
CREATE TABLE cells (
  at INTEGER NOT NULL, subject INTEGER NOT NULL, count INTEGER NOT NULL, errors INTEGER NOT NULL, took INTEGER NOT NULL,
  good BLOB NOT NULL, bad BLOB NOT NULL, PRIMARY KEY (at, subject)
) WITHOUT ROWID;
CREATE TABLE edge_cells (
  at INTEGER NOT NULL, subject INTEGER NOT NULL, count INTEGER NOT NULL, errors INTEGER NOT NULL, took INTEGER NOT NULL,
  good BLOB NOT NULL, bad BLOB NOT NULL, PRIMARY KEY (at, subject)
) WITHOUT ROWID;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL,
  cumulative INTEGER NOT NULL, attributes TEXT NOT NULL
);
CREATE INDEX series_name ON series (name);
CREATE TABLE points (
  series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, histogram BLOB, PRIMARY KEY (series, at)
) WITHOUT ROWID;
CREATE TABLE exemplars (
  series INTEGER NOT NULL, at INTEGER NOT NULL, trace BLOB NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (series, at, trace)
) WITHOUT ROWID;
CREATE TABLE notices (id TEXT PRIMARY KEY, since REAL NOT NULL, notice BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE actions (n INTEGER PRIMARY KEY, at REAL NOT NULL, action BLOB NOT NULL);
"""


class Damaged(ShoalError):
    """A file is none of ours, or of another form."""


def mark(*words: str) -> int:
    """Give the number that stands for something to look for.

    The words are ``service NAME``, ``operation SERVICE NAME``, ``name NAME``, ``error``, ``error SERVICE``, ``attribute
    KEY VALUE``. Two things share a number once in 2**64 pairs; then a trace too many is found.
    """
    return int.from_bytes(
        hashlib.blake2b("\0".join(words).encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True
    )


def make(file: Path) -> sqlite3.Connection:
    """Open a file for writing, and make it when there is none.

    Raises:
        Damaged: It is none of ours.
    """
    fresh = not file.exists()
    found = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        if fresh:
            file.chmod(0o600)
            found.executescript(
                f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT}; BEGIN; {TABLES} COMMIT;"
            )
        require(found, file)
        found.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-32000;"
        )
    except sqlite3.DatabaseError as error:
        found.close()
        raise Damaged(
            f"cannot open {file} as telemetry: {error}", hint="remove it; it holds one run's telemetry"
        ) from error
    return found


def opened(file: Path) -> sqlite3.Connection:
    """Open a file for reading only.

    Raises:
        Damaged: It is none of ours, or cannot be read.
    """
    try:
        found = sqlite3.connect(
            f"file:{quote(str(file.resolve()))}?mode=ro", uri=True, check_same_thread=False, timeout=10.0
        )
        found.execute("PRAGMA query_only=1")
        found.execute("PRAGMA trusted_schema=0")
        require(found, file)
    except sqlite3.Error as error:
        raise Damaged(f"cannot read telemetry from {file}: {error}", hint="see `shoal runs list`") from error
    return found


def require(connection: sqlite3.Connection, file: Path) -> None:
    """Refuse a file that this version did not write; raises `Damaged`."""
    (whose,), (form,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    if whose != APPLICATION:
        raise Damaged(f"{file} holds no telemetry of Shoal")
    if form != FORMAT:
        raise Damaged(f"{file} has form {form} of a run's telemetry; this version reads form {FORMAT}")
