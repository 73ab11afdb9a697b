"""A run as one compressed file, to be given to a colleague; and such a file of a stranger taken in.

What is taken in is data of someone else's making. It is unpacked within bounds; its tables must be ours to the letter,
so that it brings no trigger and no view; its pages and values are checked; and then its rows are copied into a file
that we made ourselves.
"""

import contextlib
import gzip
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from shoal.dashboard.store import runs, schema
from shoal.dashboard.store.schema import Damaged
from shoal.errors import HostError
from shoal.local.host import private_directory

UNPACKED = 2 * 1024**3
"""Bytes of a run that is taken in."""

_PORTION = 1024 * 1024
_LEVEL = 6
_KINDS = {"INTEGER": "integer", "TEXT": "text", "BLOB": "blob", "REAL": "real"}

_JSON: tuple[tuple[str, str, type], ...] = (
    ("resources", "attributes", dict),
    ("series", "attributes", dict),
    ("traces", "services", list),
    ("spans", "detail", list),
    ("logs", "attributes", dict),
    ("points", "histogram", list),
    ("notices", "notice", dict),
    ("actions", "action", dict),
)
"""Columns that hold JSON, and what each is."""


def export(file: Path, target: Path) -> int:
    """Write a run as one compressed file, while it goes on or afterwards; return its bytes.

    Raises:
        Damaged: `file` holds no run.
        HostError: `target` is there already, or cannot be written.
    """
    if target.exists():
        raise HostError(f"{target} is there already", hint="remove it, or choose another name")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            whole = Path(folder) / "run.db"
            with contextlib.closing(schema.opened(file)) as connection:
                connection.execute("PRAGMA query_only=0")  # of the copy; the run itself is open for reading only
                connection.execute("VACUUM INTO ?", (str(whole),))
            with whole.open("rb") as source, gzip.open(target, "xb", compresslevel=_LEVEL) as packed:
                shutil.copyfileobj(source, packed, _PORTION)
        target.chmod(0o600)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise HostError(
            f"cannot write {target}: {error}", hint="check the folder and the free space of its disk"
        ) from error
    return target.stat().st_size


def take(source: Path, folder: Path) -> int:
    """Take in a file that `export` wrote, here or elsewhere, and return the number of the run that it becomes.

    Raises:
        HostError: It cannot be read, or there is no space.
        Damaged: It is no such file, or was changed.
    """
    private_directory(folder)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        foreign, own = Path(place) / "foreign.db", Path(place) / "own.db"
        _unpack(source, foreign)
        try:
            _check(foreign)
            _copy(foreign, own, source)
        except sqlite3.Error as error:
            raise Damaged(f"{source} holds no whole run: {error}", hint="export it again") from error
        with runs.held(folder):
            return _named(own, folder)


def _named(own: Path, folder: Path) -> int:
    """Give a file the next free number, and never one that a run which begins right now has taken."""
    number = next(iter(runs.numbers(folder)), 0) + 1
    while True:
        try:
            runs.file_of(folder, number).hardlink_to(own)
        except FileExistsError:
            number += 1
        else:
            return number


def _unpack(source: Path, target: Path) -> None:
    try:
        with gzip.open(source, "rb") as packed, target.open("xb") as plain:
            for portion in _bounded(packed, source):
                plain.write(portion)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Damaged(
            f"{source} is no exported run: {error}", hint="export one with: shoal runs export N FILE"
        ) from error
    except OSError as error:
        raise HostError(
            f"cannot read {source}: {error.strerror or error}", hint="check its name and its rights"
        ) from error


def _bounded(packed: gzip.GzipFile, source: Path) -> Iterator[bytes]:
    count = 0
    while portion := packed.read(_PORTION):
        count += len(portion)
        if count > UNPACKED:
            raise Damaged(f"{source} unpacks to more than {UNPACKED // 1024**3} GiB; a run has less")
        yield portion


def _check(foreign: Path) -> None:
    """Refuse a file whose tables are not ours, whose pages are torn, or whose values are of other types."""
    with contextlib.closing(schema.opened(foreign)) as connection:
        connection.execute("PRAGMA cell_size_check=1")
        told = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        if sorted(told) != sorted(_ours()):
            raise Damaged(f"{foreign.name} has tables that no run has", hint="it was changed; do not trust it")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Damaged(f"its pages are torn: {verdict}", hint="export it again")
        for table, column, words in _values(connection):
            if connection.execute(f"SELECT 1 FROM {table} WHERE {words} LIMIT 1").fetchone():  # noqa: S608 - ours
                raise Damaged(f"{table}.{column} has values of another type", hint="it was changed; do not trust it")
        for table, column, kind in _JSON:
            for (text,) in connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):  # noqa: S608
                _check_json(text, kind, f"{table}.{column}")


def _check_json(text: str | bytes, kind: type, where: str) -> None:
    """Refuse what is no JSON of this kind: readers hand it on as it is."""
    try:
        msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Damaged(f"{where} has what is no JSON: {error}", hint="it was changed; do not trust it") from error


def _ours() -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.TABLES)
        return connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()


def _values(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield for each column what a wrong value in it would be."""
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        for _, column, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
            wanted = f"typeof({column}) <> '{_KINDS[kind]}'"
            yield table, column, wanted if required or key else f"{column} IS NOT NULL AND {wanted}"


def _copy(foreign: Path, own: Path, source: Path) -> None:
    connection = schema.make(own)
    try:
        connection.execute("ATTACH ? AS there", (str(foreign),))
        connection.execute("BEGIN")
        for (table,) in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM there.{table}")  # noqa: S608 - ours
        # No process of this machine writes it, whatever it says.
        connection.execute("DELETE FROM meta WHERE key IN ('pid', 'born', 'key')")
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (runs.SOURCE, source.name))
        connection.execute("COMMIT")
        connection.execute("DETACH there")
        connection.execute("PRAGMA journal_mode=DELETE")  # so that the file is whole by itself when it is moved
    finally:
        connection.close()
