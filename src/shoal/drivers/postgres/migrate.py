"""Apply numbered SQL files, each in a transaction of its own, each exactly once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shoal.drivers.base import Migration, OwnTable
from shoal.drivers.base.history import Applied, outstanding
from shoal.drivers.postgres import client, own_tables, partitions, schema, tidy
from shoal.drivers.postgres.client import Link
from shoal.errors import EngineError, MigrationError, Unavailable

_FOUND = "select (select relkind::text from pg_class where oid = to_regclass('shoal.outbox')) as kind"


async def migrate(
    link: Link, migrations: Sequence[Migration], own: Sequence[OwnTable], width: timedelta
) -> Sequence[Migration]:
    """Create the framework's tables, apply what is new in order of number, and return it."""
    await schema.lock(link, schema.MIGRATING)
    await _lay_out(link, own, width)
    rows = await link.fetch("select number, name, checksum from shoal.migrations order by number")
    fresh = outstanding(
        {int(str(row["number"])): Applied(str(row["name"]), str(row["checksum"])) for row in rows}, migrations
    )
    for migration in fresh:
        await _apply(link, migration)
    return fresh


async def _lay_out(link: Link, own: Sequence[OwnTable], width: timedelta) -> None:
    """Make what is lacking of the framework's tables; nobody who writes is waited for where nothing is."""
    (row,) = await link.fetch(_FOUND)
    now = await partitions.now(link)
    try:
        if row["kind"] != "p":
            await tidy.atomically(link, _script(now, width, enlarge=row["kind"] is not None))
        if script := await own_tables.missing(link, own):
            await tidy.atomically(link, script)
    except EngineError as error:
        raise MigrationError(
            f"the tables of the framework could not be created: {error.message}",
            hint="let the service's role own its database, or give it the right to create schemas",
        ) from error
    if row["kind"] == "p":
        for table in tidy.PARTED:
            await tidy.extend(link, table, now, width)


def _script(now: datetime, width: timedelta, *, enlarge: bool) -> str:
    """Make everything at once; what the first versions wrote becomes the first part of each table."""
    statements = [schema.ENLARGE, schema.TABLES] if enlarge else [schema.TABLES]
    for table in tidy.PARTED:
        for part in partitions.fresh(table, (), now, width):
            kept = enlarge and part[0] == f"{table}_first"
            statements.append(partitions.attach(table, *part) if kept else partitions.make(table, *part))
    if enlarge:
        statements.append(schema.CONTINUE)
    return ";\n".join(statement.rstrip("; \n") for statement in statements)


async def _apply(link: Link, migration: Migration) -> None:
    try:
        await link.execute("begin")
        await link.script(migration.sql)
        if not link.in_transaction:
            raise MigrationError(
                f"migration {migration.name} ends the transaction it runs in",
                hint="remove COMMIT and ROLLBACK; every file is one transaction already",
            )
        await link.fetch(
            "insert into shoal.migrations (number, name, checksum) values ($1, $2, $3)",
            [migration.number, migration.name, migration.checksum],
        )
        await link.execute("commit")
    except Unavailable:
        raise
    except EngineError as error:
        await _undo(link)
        raise _failed(migration, error) from error


async def _undo(link: Link) -> None:
    if link.in_transaction:
        await link.execute("rollback")


def _failed(migration: Migration, error: EngineError) -> MigrationError:
    at = client.position(error)
    line = migration.sql.count("\n", 0, at - 1) + 1 if at else 0
    place = f", line {line}" if line else ""
    text = f": {migration.sql.splitlines()[line - 1].strip()}" if line else ""
    return MigrationError(
        f"migration {migration.name}{place} failed: {error.message}{text}",
        hint=client.hint(error) or "nothing of the file was applied: correct it and start again",
    )
