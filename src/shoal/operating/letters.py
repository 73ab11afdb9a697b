"""Dead letters of a running system: find those that are meant, correct them, try them, send them again."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from shoal.drivers.base import BrokerAdmin
from shoal.errors import ShoalError
from shoal.operating.engines import Engines
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming import graves
from shoal.runtime.consuming.graves import Grave, editable
from shoal.runtime.consuming.rehearsal import Rehearsal, rehearse


async def found(engines: Engines, broker: BrokerAdmin, service: str = "", most: int | None = None) -> list[Grave]:
    """List the dead letters of one service, or of all; of each service the oldest `most` where that is said."""
    if service:
        engines.planned(service)
    names = [s.name for s in engines.plan.system.services if s.subscriptions and service in ("", s.name)]
    return [grave for name in names for grave in await graves.graves(broker, engines.plan.system.name, name, most)]


async def chosen(engines: Engines, broker: BrokerAdmin, ids: Sequence[str]) -> list[Grave]:
    """Find letters by their ids, each of which names its service and its place; `ShoalError` for one that is gone."""
    services = {re.sub(r"-\d+$", "", name) for name in ids}
    known = {service for service in services if any(s.name == service for s in engines.plan.system.services)}
    there = {
        g.letter.service + f"-{place}": g for s in known for g in await found(engines, broker, s) for place in g.places
    }
    missing = [name for name in ids if name not in there]
    if missing:
        raise ShoalError(
            f"there is no dead letter {', '.join(missing)}", hint="see `shoal dlq list` for those that there are"
        )
    return list(dict.fromkeys(there[name] for name in ids))


def plain(grave: Grave) -> dict[str, Any]:
    """Return all that is known of a letter, for JSON."""
    letter = {k: v for k, v in msgspec.to_builtins(grave.letter).items() if k != "original"}
    return {
        "id": grave.id,
        "stored": grave.at.isoformat(),
        "edited": grave.letter.original is not None,
        **letter,
        "headers": dict(grave.message.headers) | dict(grave.letter.headers),
        "data": _json(editable(grave)),
    }


async def edit(engines: Engines, broker: BrokerAdmin, grave: Grave, text: bytes) -> Grave:
    """Put other data into a letter, which keeps what it was at first; return the letter that takes its place.

    Raises:
        ShoalError: The data is not what the event's handler takes.
    """
    system, service = engines.plan.system.name, grave.letter.service
    await graves.rewrite(broker, system, grave, graves.edited(grave, text, engines.declaration(service)))
    after = await found(engines, broker, service)
    return next(one for one in after if one.letter.message == grave.letter.message)


async def replay(engines: Engines, broker: BrokerAdmin, letters: Sequence[Grave]) -> None:
    """Send letters to their consumers once more; they keep their events' ids, so nothing happens twice."""
    for grave in letters:
        await graves.replay(broker, engines.plan.system.name, grave)


async def purge(engines: Engines, broker: BrokerAdmin, letters: Sequence[Grave]) -> None:
    """Throw letters away for good: their events count as handled."""
    for grave in letters:
        async with engines.store(grave.letter.service) as store:
            await graves.purge(broker, store, engines.plan.system.name, grave)


async def try_out(engines: Engines, letters: Sequence[Grave]) -> list[tuple[Grave, Rehearsal]]:
    """Find out what handling letters would do, in transactions that are rolled back."""
    results = []
    for grave in letters:
        name = grave.letter.service
        config = ServiceConfig.from_environ(engines.environment(name))
        async with engines.store(name) as store:
            results.append((grave, await rehearse(engines.declaration(name), config, store, grave.message)))
    return results


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return data.decode("utf-8", "backslashreplace")
