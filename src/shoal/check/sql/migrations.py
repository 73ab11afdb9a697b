"""Which files of SQL are whose migrations, in their order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shoal.check.finding import Place
from shoal.check.source import Source
from shoal.check.sql.tokens import Token, Tokens, statements
from shoal.model.service import Service
from shoal.model.system import System

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
        line = self._lines[token.line - 1].rstrip()
        return Place(self.path, token.line, token.column, token.line, max(len(line), token.column) + 1)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")


def migrations(system: System, source: Source, files: Mapping[str, str]) -> dict[str, tuple[Migration, ...]]:
    """List the migrations of every service by number; of a store that runs none there are none.

    Args:
        system: Whose services they are.
        source: The modules beside which they lie.
        files: Path → text of what may be a migration.
    """
    folders: dict[str, list[tuple[int, str]]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        if number := _NUMBER.match(name):
            folders.setdefault(folder, []).append((int(number[1]), path))
    modules = {module.name: module for module in source.modules}
    found: dict[str, tuple[Migration, ...]] = {}
    for service in system.services:
        if service.store and service.store.migrations and service.store.engine == "postgres":
            name = service.entry.partition(":")[0]
            file = modules[name].shown if name in modules else f"{name.replace('.', '/')}.py"
            own = folders.get(f"{file.rpartition('/')[0]}/{service.store.migrations}".lstrip("/"), [])
            found[service.name] = tuple(Migration(service, number, path, files[path]) for number, path in sorted(own))
    return found
