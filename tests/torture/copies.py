"""Copies of the broker's store, as a disk that lost its latest writes would hold them."""

import asyncio
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from shoal.testing import LiveSystem
from tests.torture.processes import find, until

EVERY = 2.0
"""Seconds between two copies."""

OLDEST = 60.0
"""Seconds that a copy is kept."""


@dataclass(slots=True, kw_only=True)
class Copies:
    """Copies of one shop's broker, taken while it stands still for some milliseconds."""

    shop: LiveSystem
    folder: Path
    taken: list[tuple[float, Path]] = field(default_factory=list)

    @property
    def store(self) -> Path:
        """Where the broker keeps its streams."""
        return self.shop.root / ".shoal" / "data" / "nats" / "streams"

    async def keep_taking(self) -> None:
        """Take copies until cancelled."""
        while True:
            await self.take()
            await asyncio.sleep(EVERY)

    async def take(self) -> None:
        """Take one copy, and let go of those that are too old."""
        copy = self.folder / f"{len(self.taken)}-{time.monotonic_ns()}"
        pid = (await find(self.shop, "nats")).pid
        try:
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.to_thread(shutil.copytree, self.store, copy)
            finally:
                os.kill(pid, signal.SIGCONT)
        except (ProcessLookupError, FileNotFoundError, shutil.Error):  # it was killed meanwhile: no copy this time
            shutil.rmtree(copy, ignore_errors=True)
        else:
            self.taken.append((time.monotonic(), copy))
        while self.taken and time.monotonic() - self.taken[0][0] > OLDEST:
            shutil.rmtree(self.taken.pop(0)[1], ignore_errors=True)

    async def restore(self, part: float) -> float:
        """Kill the broker and give it an older store; `part` of the way from the oldest copy. Return its age.

        The supervisor stands still meanwhile, since it would start the broker within a tenth of a second.
        """
        at, copy = self.taken[min(int(part * len(self.taken)), len(self.taken) - 1)]
        supervisor, restarts = self.shop.state.pid, self.shop.process("nats").restarts
        broker = await find(self.shop, "nats")
        os.kill(supervisor, signal.SIGSTOP)
        try:
            os.kill(broker.pid, signal.SIGKILL)
            await asyncio.to_thread(_replace, self.store, copy)
        finally:
            os.kill(supervisor, signal.SIGCONT)
        age = time.monotonic() - at
        await until(lambda: self.shop.process("nats").restarts > restarts, "the supervisor to see the kill")
        await until(lambda: self.shop.process("nats").status == "ready", "the broker to be back")
        return age


def _replace(store: Path, copy: Path) -> None:
    aside = store.with_name("streams-lost")
    store.rename(aside)
    shutil.copytree(copy, store)
    shutil.rmtree(aside)
