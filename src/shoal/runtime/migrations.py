"""Read a service's numbered SQL files."""

import hashlib
import importlib
import re
from pathlib import Path

from shoal.drivers.base import Migration
from shoal.errors import MigrationError

_NAME = re.compile(r"(\d{3,})_([a-z0-9_]+)\.sql")


def folder_of(module: str, name: str) -> Path:
    """Locate the folder of migrations beside a service's module."""
    file = importlib.import_module(module).__file__
    return Path(file or ".").resolve().parent / name


def read(folder: Path) -> tuple[Migration, ...]:
    """Read the files in order; `MigrationError` for a malformed name, a number twice or a gap."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(
                f"{path.name} is not named like 001_create_orders.sql", hint="rename it", where=str(path)
            )
        sql = path.read_text(encoding="utf-8")
        digest = hashlib.sha256(sql.encode()).hexdigest()
        found.append(Migration(number=int(match[1]), name=path.stem, sql=sql, checksum=digest))
    found.sort(key=lambda migration: migration.number)
    for position, migration in enumerate(found, start=1):
        if migration.number != position:
            raise MigrationError(
                f"migration {migration.name} should have number {position}",
                hint="number the files from 001 without gaps or repetition",
                where=str(folder),
            )
    return tuple(found)
