"""Facts → the model that rules read: services, and who calls whom. Which operation is called no file tells."""

import re

from shoal.check.importing.edges import calls
from shoal.check.importing.facts import Facts
from shoal.model import names
from shoal.model.access import Access
from shoal.model.service import Call, Endpoint, Service
from shoal.model.system import System

_LONGEST = 40
"""Characters of a name in the model (`shoal.model.names.check_label`)."""

_ANY = Endpoint(name="", method="POST", path="/", access=Access(kind="internal"))
"""What is called of a service where nobody knows which of its operations."""


def modelled(facts: Facts, name: str) -> System:
    """Make a system of what is known; its calls lead to an operation without a name.

    Args:
        facts: What the files tell.
        name: Of the whole.
    """
    own = {service: label(service) for service in facts.services}
    ways: dict[str, dict[str, Call]] = {service: {} for service in own.values()}
    for use in calls(facts):
        if use.target is not None:
            one, other = own[use.unit.service], own[use.target.service]
            call = Call(service=other, endpoint=_ANY.name, source=str(use.where))
            if one != other:
                ways[one].setdefault(other, call)
    called = {other for calls_ in ways.values() for other in calls_}
    services: dict[str, Service] = {}
    for service, units in facts.services.items():
        where = units[0].where if units else facts.titles[service]
        services.setdefault(
            own[service],
            Service(
                name=own[service],
                entry="",
                source=str(where),
                endpoints=(_ANY,) if own[service] in called else (),
                calls=tuple(ways[own[service]].values()),
            ),
        )
    return System(name=label(name), services=tuple(services.values()))


def label(name: str) -> str:
    """Spell a name as the model spells names: a DNS label that no engine of ours has."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "system"
    plain = plain if plain[0].isalpha() else f"s-{plain}"
    if plain in names.RESERVED or plain.startswith("pg-"):
        plain = f"{plain}-service"
    return f"s-{names.shorten(plain, _LONGEST - 2)}" if len(plain) > _LONGEST else plain
