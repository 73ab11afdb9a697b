"""Exclusive rights in memory."""

import asyncio


class MemoryLease:
    """A `base.Lease`."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.wanted = asyncio.Event()
