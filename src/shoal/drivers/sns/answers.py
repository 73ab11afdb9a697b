"""Answers to what a queue gave out, in requests of ten; the oldest first. An answer that is lost is none."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from shoal.drivers.sns.link import Link
from shoal.drivers.sns.wire import BATCH
from shoal.errors import EngineError, Undeclared

SHOW = 0
"""Seconds after which a message that is given back is there again."""


class Answers:
    """What is to be said to one queue."""

    def __init__(self, link: Link, url: str) -> None:
        self._link, self._url = link, url
        self._done: list[str] = []
        self._hidden: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def done(self, receipt: str) -> None:
        """Take a message out of the queue, soon."""
        self._hidden.pop(receipt, None)
        self._done.append(receipt)
        self._begin()

    def hide(self, receipt: str, seconds: int) -> None:
        """Keep a message from others for so long from now on, soon."""
        self._hidden[receipt] = seconds
        self._begin()

    async def flush(self) -> None:
        """Wait until everything is said."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def show(self, receipts: Sequence[str]) -> None:
        """Give messages back at once, after everything else is said; raises `Unavailable`."""
        await self.flush()
        for start in range(0, len(receipts), BATCH):
            await self._hide([(receipt, SHOW) for receipt in receipts[start : start + BATCH]])

    async def stop(self) -> None:
        """Say nothing more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.ensure_future(self._say())

    async def _say(self) -> None:
        try:
            while self._done or self._hidden:  # both in turn, or what is hidden would show while much is done
                done, self._done = self._done[:BATCH], self._done[BATCH:]
                hidden = [*self._hidden.items()][:BATCH]
                for receipt, _ in hidden:
                    del self._hidden[receipt]
                with contextlib.suppress(EngineError, Undeclared):  # it comes again, and then it is known
                    await self._delete(done)
                with contextlib.suppress(EngineError, Undeclared):
                    await self._hide(hidden)
        finally:
            self._task = None

    async def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        if entries:
            await self._link.ask("sqs", "delete_message_batch", QueueUrl=self._url, Entries=entries)

    async def _hide(self, hidden: Sequence[tuple[str, int]]) -> None:
        entries: list[dict[str, Any]] = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, (receipt, seconds) in enumerate(hidden)
        ]
        if entries:
            await self._link.ask("sqs", "change_message_visibility_batch", QueueUrl=self._url, Entries=entries)
