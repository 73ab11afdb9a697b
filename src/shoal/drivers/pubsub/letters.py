"""Read a subscription that nobody consumes: take everything into hand, look at it, and give it back.

One reader at a time, or each would have a part. Whoever reads has a message in hand of which there is one: the turn.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import asynccontextmanager

from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.answers import Answers
from shoal.drivers.pubsub.link import Link
from shoal.drivers.pubsub.wire import Received
from shoal.errors import EngineError, Undeclared

HELD_SECONDS = 30
"""For so long letters and the turn are in hand, unless they are given back before."""

PATIENCE = 40.0
"""Seconds that somebody else's reading is waited for; a turn that does not come by then is lost."""

LOOKS = 2
"""Looks in a row that find nothing more. Pub/Sub need not show all at once."""

_PAUSE = 0.05


@asynccontextmanager
async def opened(link: Link, stream: str) -> AsyncIterator[dict[str, Received]]:
    """Hold all letters of a stream, by name, for the time of the block."""
    path = link.subscription(wire.letters_name(stream))
    held: dict[str, Received] = {}
    answers = Answers(link, path)
    async with _my_turn(link, stream):
        try:
            await _gather(link, path, held, answers)
            yield held
        finally:
            await answers.extend([letter.answer for letter in held.values()], 0)


async def remove(link: Link, stream: str, held: dict[str, Received], places: Container[int]) -> None:
    """Take those letters that are at certain places out of their subscription, and out of hand."""
    path = link.subscription(wire.letters_name(stream))
    names = [name for name, letter in held.items() if letter.head.place in places]
    for start in range(0, len(names), wire.BATCH):
        some = [held.pop(name) for name in names[start : start + wire.BATCH]]
        await link.ask("POST", f"{path}:acknowledge", {"ackIds": [letter.answer for letter in some]})


async def renew(link: Link, stream: str) -> None:
    """Let the next reader have its turn."""
    body = {"messages": [{"attributes": {"turn": "next"}}]}
    await link.ask("POST", f"{link.topic(wire.turn_name(stream))}:publish", body)


@asynccontextmanager
async def _my_turn(link: Link, stream: str) -> AsyncIterator[None]:
    """Wait for the turn; a new one takes its place afterwards, so that it is never too old to be kept."""
    path = link.subscription(wire.turn_name(stream))
    turns: list[str] = []
    until = time.monotonic() + PATIENCE
    while not turns and time.monotonic() < until:
        turns = [str(one["ackId"]) for one in await _look(link, path)]
        if not turns:
            await asyncio.sleep(_PAUSE)
    try:
        yield
    finally:
        with contextlib.suppress(EngineError, Undeclared):  # it comes back when its time is over
            if turns:
                await link.ask("POST", f"{path}:acknowledge", {"ackIds": turns})
            await renew(link, stream)


async def _gather(link: Link, path: str, held: dict[str, Received], answers: Answers) -> None:
    nothing = 0
    while nothing < LOOKS:
        found = [letter for letter in map(wire.read, await _look(link, path)) if letter is not None]
        fresh = any(letter.name not in held for letter in found)
        held |= {letter.name: letter for letter in found}
        await answers.extend([letter.answer for letter in held.values()], HELD_SECONDS)  # what came first, too
        nothing = 0 if fresh else nothing + 1
        if not fresh and nothing < LOOKS:
            await asyncio.sleep(_PAUSE)


async def _look(link: Link, path: str) -> Sequence[dict[str, object]]:
    """Take what there is, without waiting."""
    answer = await link.ask("POST", f"{path}:pull", {"maxMessages": wire.BATCH, "returnImmediately": True})
    return list(answer.get("receivedMessages", ()))
