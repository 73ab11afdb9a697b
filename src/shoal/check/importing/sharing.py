"""Databases that several services use, by the addresses that they are told."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from shoal.check.importing.edges import Use, stored
from shoal.check.importing.facts import Facts, Unit
from shoal.check.importing.interpolation import UNKNOWN


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
    """Find databases that more than one service uses; programs of one image, or built alike, are one service here."""
    groups: dict[tuple[Unit | str, str], list[Use]] = {}
    for use in stored(facts):
        groups.setdefault((use.target or use.host, use.database.lower()), []).append(use)
    for (target, _), ways in groups.items():
        users = _firsts(_firsts(ways, lambda use: use.unit.service), lambda use: _program(use.unit))
        if len(users) > 1:
            host = target if isinstance(target, str) else target.name
            yield Shared(host, users[0].database, tuple(sorted(users, key=lambda use: use.where)))


def _firsts(ways: Iterable[Use], key: Callable[[Use], str]) -> list[Use]:
    """Keep the first of those that are alike."""
    found: dict[str, Use] = {}
    for use in ways:
        found.setdefault(key(use), use)
    return list(found.values())


def _program(unit: Unit) -> str:
    """Say which program a unit is: its image with its tag, which some tell programs apart by, or of what it is built.

    Where nobody knows either, it is its service.
    """
    container = next(iter(unit.containers), None)
    image = container.image.text if container and container.image else ""
    known = "" if image.startswith(UNKNOWN) else image
    return known or (container.built if container else "") or unit.service
