"""Who leads to whom: the addresses that units are told, followed to the units that answer there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shoal.check.finding import Place
from shoal.check.importing.addresses import STORES, Address, addresses, database_named, in_argument
from shoal.check.importing.facts import Argument, Facts, Setting, Unit
from shoal.check.importing.hosts import Hosts

_HERE = re.compile(r"localhost|127\.[\d.]+|0\.0\.0\.0")
"""Hosts that are whoever asks, or what runs beside it: another one for each."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Use:
    """One unit leads to another one, or to a database somewhere else.

    Attributes:
        unit: Which leads there.
        target: Where it leads; None for a host that no file knows.
        host: As it is written.
        database: Which of its databases is meant; empty where nobody says.
        where: Where that is said.
        told: By an address that it is told, or only by what waits for what when it starts (`False`).
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
    known = Hosts(facts.units)
    found: list[Use] = []
    for unit in facts.units:
        own = list(_told(unit, known))
        own += _linked(unit, known, {use.target for use in own})
        own = own or list(_waited(unit, known))
        found += [use for use in own if use.target is None or use.target.service != unit.service]
    return tuple(found)


def calls(facts: Facts) -> tuple[Use, ...]:
    """List the ways from service to service, one for each pair: the first place that tells of it.

    That one waits for another when it starts is an order of starting, and no call.
    """
    found: dict[tuple[str, str], Use] = {}
    for use in uses(facts):
        if use.told and use.unit.role == "service" and use.target is not None and use.target.role == "service":
            found.setdefault((use.unit.service, use.target.service), use)
    return tuple(found.values())


def stored(facts: Facts) -> tuple[Use, ...]:
    """List the ways from services to databases."""
    return tuple(
        use for use in uses(facts) if use.unit.role == "service" and (use.target is None or use.target.role == "store")
    )


def _told(unit: Unit, known: Hosts) -> Iterator[Use]:
    for container in unit.containers:
        values = {setting.name: setting.value for setting in container.settings if setting.value}
        named = {database for name, value in values.items() if (database := database_named(name, value))}
        for setting in container.settings:
            for address in addresses(setting.name, setting.value or ""):
                yield from _use(unit, known, address, named, setting)
        for argument in container.arguments:
            for address in in_argument(argument.value):
                yield from _use(unit, known, address, named, argument)


def _use(unit: Unit, known: Hosts, address: Address, named: set[str], said: Setting | Argument) -> Iterator[Use]:
    target = known.unit(unit, address.host)
    if target is None and (_HERE.fullmatch(address.host) or not STORES.fullmatch(address.scheme)):
        return
    database = address.database or (next(iter(named)) if len(named) == 1 else "")
    hidden = isinstance(said, Setting) and said.hidden
    yield Use(unit=unit, target=target, host=address.host, database=database, where=said.where, hidden=hidden)


def _linked(unit: Unit, known: Hosts, led: set[Unit | None]) -> Iterator[Use]:
    """List what a unit is given a name for, and told no address of."""
    for said in unit.links.values():
        target = known.unit(unit, said.text.lower())
        if target is not None and target not in led:
            yield Use(unit=unit, target=target, host=said.text, database="", where=said.where)


def _waited(unit: Unit, known: Hosts) -> Iterator[Use]:
    for said in unit.after:
        target = known.unit(unit, said.text.lower())
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
            way = {name: None}
            waiting = [name]
            for one in waiting:  # grows while it is read
                new = [other for other in nexts.get(one, ()) if other not in way]
                way |= dict.fromkeys(new)
                waiting += new
            found[name] = tuple(way)
    return found
