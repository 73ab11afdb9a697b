"""Do many things, a few at a time."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

AT_A_TIME = 8

T = TypeVar("T")


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all, a few at a time."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(some: Awaitable[T]) -> T:
        async with slots:
            return await some

    return await asyncio.gather(*map(one, work))
