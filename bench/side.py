"""A contestant that does small pieces of work within this process."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.rounds import Sample

Work = Callable[[], Awaitable[int]]
"""Does something and returns how many operations that were."""

Ways = tuple[Work, Work]
"""One operation at a time, and many together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One way to do it."""

    name: str
    work: Work

    async def run(self, operations: int) -> Sample:
        """Work until so much is done; the server's time is the same for all."""
        done, began, spent = 0, time.perf_counter(), time.process_time_ns()
        while done < operations:
            done += await self.work()
        return Sample(operations=done, seconds=time.perf_counter() - began, cpu_ns=time.process_time_ns() - spent)
