"""Dead letters for the page of events: listed and counted, and what may be done about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shoal.errors import ShoalError
from shoal.operating import letters
from shoal.operating.engines import Engines
from shoal.runtime.consuming.graves import Grave


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which letters are meant: those of these ids, or every one, perhaps of one service."""

    ids: tuple[str, ...] = ()
    everything: bool = False
    service: str = ""


MOST = 2000
"""Letters of one service that are looked at, the oldest: further ones show up as these are dealt with."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are listed.

    Args:
        service: That gave them up; empty for all.
        kind: The event's type; empty for all.
        text: In an id, a type, a key or an error.
        limit: At most so many.
    """

    service: str = ""
    kind: str = ""
    text: str = ""
    limit: int = 200


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the letters that there are."""

    items: list[dict[str, Any]]
    total: int
    """How many fit, among those that were looked at."""
    more: bool
    """Whether there are letters that were not looked at."""


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other data for one letter."""

    id: str
    data: Any


async def listed(running: Engines, sought: Sought) -> Listed:
    """List letters with all that is known of each, the latest first."""
    if not running.hears:
        return Listed(items=[], total=0, more=False)
    found = await letters.found(running, running.broker(), sought.service, MOST)
    wanted = sorted((g for g in found if _fits(g, sought)), key=lambda grave: grave.letter.at, reverse=True)
    looked_at = Counter(grave.letter.service for grave in found)
    return Listed(
        items=[letters.plain(grave) for grave in wanted[: sought.limit]],
        total=len(wanted),
        more=any(count >= MOST for count in looked_at.values()),
    )


async def counted(running: Engines) -> Mapping[tuple[str, str], int]:
    """Count letters by service and event, up to `MOST` of a service."""
    if not running.hears:
        return {}
    found = await letters.found(running, running.broker(), most=MOST)
    return Counter((grave.letter.service, grave.letter.type) for grave in found)


async def replay(running: Engines, wanted: Wanted) -> list[str]:
    """Send letters to their consumers once more; return their ids."""
    meant = await _meant(running, wanted)
    await letters.replay(running, running.broker(), meant)
    return [grave.id for grave in meant]


async def purge(running: Engines, wanted: Wanted) -> list[str]:
    """Throw letters away for good; return their ids."""
    meant = await _meant(running, wanted)
    await letters.purge(running, running.broker(), meant)
    return [grave.id for grave in meant]


async def edit(running: Engines, correction: Correction) -> dict[str, Any]:
    """Put other data into a letter; return it as it lies there then."""
    (grave,) = await letters.chosen(running, running.broker(), [correction.id])
    after = await letters.edit(running, running.broker(), grave, msgspec.json.encode(correction.data))
    return letters.plain(after)


async def try_out(running: Engines, wanted: Wanted) -> list[dict[str, Any]]:
    """Find out what handling letters would do, and do nothing."""
    tried = await letters.try_out(running, await _meant(running, wanted))
    return [{"id": grave.id, "succeeds": found.succeeds, **msgspec.to_builtins(found)} for grave, found in tried]


def _fits(grave: Grave, sought: Sought) -> bool:
    letter, text = grave.letter, sought.text.strip().lower()
    said = f"{grave.id} {letter.type} {letter.key} {letter.error}".lower()
    return sought.kind in ("", letter.type) and text in said


async def _meant(running: Engines, wanted: Wanted) -> Sequence[Grave]:
    if bool(wanted.ids) == wanted.everything:
        raise ShoalError("no letters were named", hint="name letters by their ids, or say everything")
    broker = running.broker()
    if wanted.everything:
        return await letters.found(running, broker, wanted.service)
    return await letters.chosen(running, broker, wanted.ids)
