"""Read a queue that nobody consumes: take everything into hand, look at it, and give it back."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shoal.drivers.sns import wire
from shoal.drivers.sns.answers import Answers
from shoal.drivers.sns.holding import receive
from shoal.drivers.sns.link import Link
from shoal.drivers.sns.wire import Letter
from shoal.errors import Unavailable

HELD_SECONDS = 30
"""For so long letters are hidden from others who read, unless they are given back before."""

PATIENCE = 40.0
"""Seconds that somebody else's reading is waited for."""


@asynccontextmanager
async def opened(link: Link, url: str) -> AsyncIterator[Sequence[Letter]]:
    """Hold all letters of a queue for the time of the block, in the order of their places.

    Raises:
        Unavailable: Somebody else has some of them in hand, and keeps them.
    """
    held: dict[str, Letter] = {}
    answers = Answers(link, url)
    try:
        await _gather(link, url, held)
        yield sorted(held.values(), key=lambda letter: letter.head.place)
    finally:
        await answers.show([letter.receipt for letter in held.values()])


async def remove(link: Link, url: str, letters: Sequence[Letter]) -> None:
    """Take letters out of their queue."""
    for start in range(0, len(letters), wire.BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": letter.receipt}
            for number, letter in enumerate(letters[start : start + wire.BATCH])
        ]
        answer = await link.ask("sqs", "delete_message_batch", QueueUrl=url, Entries=entries)
        if answer.get("Failed"):
            raise Unavailable(f"{link.place} did not remove all letters", hint="remove them again")


async def count(link: Link, url: str) -> tuple[int, int]:
    """Say how many messages a queue gives out now, and how many it holds in all."""
    names = ("", "NotVisible", "Delayed")
    wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
    answer = await link.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=wanted)
    found = [int(answer["Attributes"].get(name, 0)) for name in wanted]
    return found[0], sum(found)


async def _gather(link: Link, url: str, held: dict[str, Letter]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        while found := await receive(link, url, 0, VisibilityTimeout=HELD_SECONDS):
            for received in found:
                letter = wire.letter(received)
                if letter is not None:
                    held[letter.name] = letter
        visible, everything = await count(link, url)
        if not visible and everything <= len(held):
            return
        if time.monotonic() >= until:
            raise Unavailable("somebody else has dead letters of this service in hand", hint="try again in a minute")
        await asyncio.sleep(0.2)
