"""Which files of SQL are whose migrations, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shoal.check.finding import Place
from shoal.check.sql.tokens import Token, Tokens, statements
from shoal.check.subject import Subject
from shoal.model.service import Service

_NUMBER = re.compile(r"(\d+)_")


@dataclass(frozen=True, eq=False)
class Migration:
    """One numbered file of a service."""

    service: Service
    number: int
    path: str
    text: str

    @cached_property
    def statements(self) -> tuple[Tokens, ...]:
        """What it does, one after the other, in one transaction."""
        return tuple(statements(self.text))

    def place(self, token: Token) -> Place:
        """Say where a token is, to the end of its line."""
        line = self.text.split("\n")[token.line - 1].rstrip()
        return Place(self.path, token.line, token.column, token.line, max(len(line), token.column) + 1)


def migrations(subject: Subject, service: Service) -> Iterator[Migration]:
    """List the migrations of a service by number; of a store that runs none there are none."""
    if service.store is None or not service.store.migrations or service.store.engine != "postgres":
        return
    name = service.entry.partition(":")[0]
    module = next((module for module in subject.source.modules if module.name == name), None)
    beside = (module.shown if module else f"{name.replace('.', '/')}.py").rpartition("/")[0]
    folder = f"{beside}/{service.store.migrations}".lstrip("/")
    found = [
        Migration(service, int(number[1]), path, subject.files[path])
        for path in subject.files
        if path.rpartition("/")[0] == folder and (number := _NUMBER.match(path.rpartition("/")[2]))
    ]
    yield from sorted(found, key=lambda migration: migration.number)
