"""Who leads to whom: the addresses that units are told, followed to the units that answer there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shoal.check.finding import Place
from shoal.check.importing.addresses import STORES, Address, addresses, database_named, in_argument
from shoal.check.importing.facts import Facts, Said, Setting, Unit

_CLUSTER = (".svc.cluster.local", ".cluster.local", ".svc")


@dataclass(frozen=True, eq=False, kw_only=True)
class Use:
    """One unit leads to another one, or to a database somewhere else.

    Attributes:
        unit: Which leads there.
        target: Where it leads; None for a host that no file knows.
        host: As it is written.
        database: Which of its databases is meant; empty where nobody says.
        where: Where that is said.
        told: By a setting, an argument, or only by what waits for what when it starts (`False`).
        hidden: Whether it is said in a secret.
    """

    unit: Unit
    target: Unit | None
    host: str
    database: str
    where: Place
    told: bool = True
    hidden: bool = False


def uses(facts: Facts) -> tuple[Use, ...]:
    """List everything that units lead to, themselves left out.

    What waits for another one when it starts may do so for any reason. It counts for a unit that is told no address.
    """
    known = _Names(facts.units)
    found: list[Use] = []
    for unit in facts.units:
        own = list(_told(unit, known)) or list(_waited(unit, known))
        found += [use for use in own if use.target is None or use.target.service != unit.service]
    return tuple(found)


def calls(facts: Facts) -> tuple[Use, ...]:
    """List the ways from service to service, one for each pair: the first place that tells of it, settings first."""
    found: dict[tuple[str, str], Use] = {}
    for use in sorted(uses(facts), key=lambda use: not use.told):
        if use.unit.role == "service" and use.target is not None and use.target.role == "service":
            found.setdefault((use.unit.service, use.target.service), use)
    return tuple(found.values())


def stored(facts: Facts) -> tuple[Use, ...]:
    """List the ways from services to databases."""
    return tuple(
        use for use in uses(facts) if use.unit.role == "service" and (use.target is None or use.target.role == "store")
    )


class _Names:
    """Finds units by the names that others call them by."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._near: dict[tuple[str, str], Unit] = {}
        self._all: dict[str, Unit] = {}
        for unit in units:
            for name in unit.names:
                self._near.setdefault((unit.scope, name.lower()), unit)
                self._all.setdefault(name.lower(), unit)

    def unit(self, scope: str, host: str) -> Unit | None:
        """Find who answers at a host; first among those near to who asks."""
        for ending in _CLUSTER:
            host = host.removesuffix(ending)
        if found := self._near.get((scope, host)) or self._all.get(host):
            return found
        name, dot, other = host.partition(".")
        return self._near.get((other, name)) or self._pod(scope, name, other) if dot else None

    def _pod(self, scope: str, pod: str, service: str) -> Unit | None:
        """Find the set of which a host is one: ``mongo-0.mongo``."""
        number = pod.rpartition("-")[2]
        return self._near.get((scope, service.partition(".")[0])) if number.isdecimal() else None


def _told(unit: Unit, known: _Names) -> Iterator[Use]:
    for container in unit.containers:
        values = {setting.name: setting.value for setting in container.settings if setting.value}
        named = {database for name, value in values.items() if (database := database_named(name, value))}
        for setting in container.settings:
            for address in addresses(setting.name, setting.value or ""):
                yield from _use(unit, known, address, named, setting)
        for argument in container.arguments:
            for address in in_argument(argument.text):
                yield from _use(unit, known, address, named, argument)


def _use(unit: Unit, known: _Names, address: Address, named: set[str], said: Setting | Said) -> Iterator[Use]:
    target = known.unit(unit.scope, address.host)
    if target is None and not STORES.fullmatch(address.scheme):
        return
    database = address.database or (next(iter(named)) if len(named) == 1 else "")
    hidden = isinstance(said, Setting) and said.hidden
    yield Use(unit=unit, target=target, host=address.host, database=database, where=said.where, hidden=hidden)


def _waited(unit: Unit, known: _Names) -> Iterator[Use]:
    for said in unit.after:
        target = known.unit(unit.scope, said.text.lower())
        if target is not None:
            yield Use(unit=unit, target=target, host=said.text, database="", where=said.where, told=False)


def reached(facts: Facts, ways: Sequence[Use]) -> Mapping[str, tuple[str, ...]]:
    """Map each service that can be reached from outside to all that it leads to, itself first.

    Args:
        facts: What is known.
        ways: The calls between services.
    """
    nexts: dict[str, list[str]] = {}
    for use in ways:
        assert use.target is not None  # noqa: S101 - calls have one
        nexts.setdefault(use.unit.service, []).append(use.target.service)
    found: dict[str, tuple[str, ...]] = {}
    for name, units in facts.services.items():
        if any(unit.doors for unit in units):
            way = [name]
            for one in way:  # grows while it is read
                way += [other for other in nexts.get(one, ()) if other not in way]
            found[name] = tuple(way)
    return found
