"""What stays in a subscription until it is removed: dead letters, and what is declared.

Looking takes nothing into hand. Removing takes the session, and in it everything up to the last that goes; the rest is
given back by closing it, which Service Bus does not count as a delivery ("Message sessions", impact of delivery count).
"""

import asyncio
from collections.abc import Sequence

from shoal.drivers.base.holding import Letter
from shoal.drivers.base.pauses import Pauses, insist
from shoal.drivers.servicebus import wire
from shoal.drivers.servicebus.client import Got
from shoal.drivers.servicebus.engine import decode, int32
from shoal.drivers.servicebus.link import ANSWER_SECONDS, SESSION, Link
from shoal.drivers.servicebus.meaning import Held
from shoal.errors import Unavailable

PAGE = 250
"""Messages of one look; Service Bus gives fewer where they are large."""

PATIENCE = 40.0
"""Seconds that somebody else's removal is waited for."""

_NOTHING = 204
_ALL = 1_000_000


async def look(link: Link, stream: str, above: int, limit: int) -> list[Letter]:
    """Read letters by place; raises as `Link.manage` does."""
    found: list[Letter] = []
    place = wire.entity(stream, wire.LETTERS)
    while len(found) < limit:
        count = int32(min(PAGE, limit - len(found)))
        asked = {"from-sequence-number": above + 1, "message-count": count, "session-id": SESSION}
        answer = await link.manage(place, "peek-message", asked)
        listed = answer.value.get("messages", ()) if isinstance(answer.value, dict) else ()
        if answer.status == _NOTHING or not listed:
            break
        for each in listed:
            carried = decode(bytes(each["message"]))
            above = max(above, int(carried.annotations["x-opt-sequence-number"]))
            letter = wire.read(carried, above)
            if letter is not None:
                found.append(letter)
    return found


async def remove(link: Link, stream: str, places: Sequence[int]) -> None:
    """Take letters away; those that are gone are passed over."""
    there = [letter.place for letter in await look(link, stream, min(places) - 1, _ALL)] if places else []
    wanted = {place for place in there if place in {*places}}
    if wanted:
        await insist(lambda: _remove(link, stream, {*wanted}), Pauses(PATIENCE), Held)


async def _remove(link: Link, stream: str, wanted: set[int]) -> None:
    arrived: asyncio.Queue[Got] = asyncio.Queue()
    taken = await link.session(wire.entity(stream, wire.LETTERS), arrived.put_nowait)
    try:
        taken.credit(PAGE)
        async with asyncio.timeout(ANSWER_SECONDS):
            while wanted:
                got = await arrived.get()
                number = int(got.carried.annotations["x-opt-sequence-number"])
                if number in wanted:
                    wanted.discard(number)
                    taken.accept(got)
                elif number > max(wanted):
                    break  # those are gone meanwhile
                taken.credit(1)
            await taken.still()
    except TimeoutError as error:
        raise Unavailable(f"{link.place} did not give out the letters of {stream}", hint="try again") from error
    finally:
        taken.close()
