"""Migrations statement by statement, each with the tables as it finds them."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from shoal.check.sql.migrations import Migration
from shoal.check.sql.tables import Table, Tables, altered
from shoal.check.sql.tokens import Tokens
from shoal.check.subject import Subject


class Applied(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is not looked at any more."""

    applied: dict[str, int] = {}
    """Service → number of its latest migration that has run everywhere."""


class Change(NamedTuple):
    """One statement of a migration, where it meets tables in which there may be rows."""

    migration: Migration
    said: Tokens
    old: Mapping[str, Table]
    """The tables of earlier files, as the statement finds them."""

    @property
    def actions(self) -> Iterator[tuple[Table, Tokens]]:
        """List what ``ALTER TABLE`` does to an old table, action by action."""
        name, actions = altered(self.said) or ("", [])
        if name in self.old:
            yield from ((self.old[name], action) for action in actions)


def changes(subject: Subject, options: Applied) -> Iterator[Change]:
    """List what is to be migrated, service by service, in order."""
    for service, migrations in subject.migrations.items():
        known, applied = Tables(), options.applied.get(service, 0)
        for migration in migrations:
            before = {id(table) for table in known.values()}  # it stays the same under another name
            for said in migration.statements:
                if migration.number > applied:
                    yield Change(migration, said, {name: one for name, one in known.items() if id(one) in before})
                known.apply(said)
