"""Databases that several services use, by the addresses that they are told."""

from collections.abc import Iterator
from dataclasses import dataclass

from shoal.check.importing.edges import Use, stored
from shoal.check.importing.facts import Facts, Unit


@dataclass(frozen=True, eq=False)
class Shared:
    """One database.

    Attributes:
        host: Where it is.
        database: Which it is; empty where nobody says which of those that may be there.
        users: One way to it of each service, sorted by place.
    """

    host: str
    database: str
    users: tuple[Use, ...]

    @property
    def told(self) -> bool:
        """Whether all of them are told its address, and do not only wait for it when they start."""
        return all(use.told for use in self.users)


def shared(facts: Facts) -> Iterator[Shared]:
    """Find databases that more than one service uses; programs of one image are one service here."""
    groups: dict[tuple[str, str], list[Use]] = {}
    for use in stored(facts):
        groups.setdefault((_host(use), use.database.lower()), []).append(use)
    for (host, _), ways in groups.items():
        by_service = {use.unit.service: use for use in reversed(ways)}
        users = {_program(use.unit): use for use in reversed(by_service.values())}
        if len(users) > 1:
            found = tuple(sorted(users.values(), key=lambda use: use.where))
            yield Shared(host, found[0].database, found)


def _host(use: Use) -> str:
    return use.target.name if use.target is not None else use.host


def _program(unit: Unit) -> str:
    """Say which program a unit is: its image with its tag, which some tell programs apart by; else its service."""
    named = [container.image.text for container in unit.containers[:1] if container.image]
    return named[0] if named and named[0] else unit.service
