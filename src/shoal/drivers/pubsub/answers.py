"""What is to be said to one subscription: said again while Pub/Sub is busy, and given up once it may be another one."""

import asyncio
from collections.abc import Sequence

from shoal.drivers.base.pauses import reconnecting
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.link import Link
from shoal.errors import EngineError, Unavailable, Undeclared

ATTEMPTS = 10
"""Times that an answer is said; later its message has come again."""

SHOW = 1
"""Seconds after which a message that is given back is there again.

With 0 the emulator puts it behind others of its key, which it does not when a time ends.
"""


class Answers:
    """Answers to messages that are in hand."""

    def __init__(self, link: Link, subscription: str) -> None:
        self._link, self._path = link, subscription
        self._done: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._epoch = link.pulse.epoch

    def done(self, answer: str) -> None:
        """Take a message out of the subscription, soon."""
        self._done.append(answer)
        if self._task is None:
            self._task = asyncio.ensure_future(self._say())

    async def flush(self) -> None:
        """Wait until everything is said."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def extend(self, answers: Sequence[str], seconds: int) -> None:
        """Keep messages from others for so long from now on; raises as `Link.ask` does."""
        for start in range(0, len(answers), wire.BATCH):
            body = {"ackIds": answers[start : start + wire.BATCH], "ackDeadlineSeconds": seconds}
            await self._link.ask("POST", f"{self._path}:modifyAckDeadline", body)

    async def stop(self) -> None:
        """Say nothing more."""
        self._done.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _say(self) -> None:
        failed = 0
        try:
            while self._done and self._epoch == self._link.pulse.epoch:
                done, self._done = self._done[: wire.BATCH], self._done[wire.BATCH :]
                try:
                    await self._link.ask("POST", f"{self._path}:acknowledge", {"ackIds": done})
                except (EngineError, Undeclared) as error:  # what is not said comes again, and then it is known
                    failed += 1
                    if isinstance(error, Unavailable) and failed < ATTEMPTS:
                        self._done = done + self._done
                        await asyncio.sleep(reconnecting(failed))
                else:
                    failed = 0
        finally:
            self._done.clear()
            self._task = None
