"""Transactions that are too large for the engine are made smaller until they are not."""

import pytest

from shoal.errors import TooLarge
from shoal.runtime.portions import Portion


async def test_it_takes_half_as_much_after_too_much_and_more_again_afterwards() -> None:
    portion, tried = Portion(100), list[int]()

    async def work(limit: int) -> int:
        tried.append(limit)
        if limit > 30:
            raise TooLarge("more than 30")
        return limit

    assert [await portion.take(work) for _ in range(7)] == [25, 26, 27, 28, 29, 30, 15]
    assert tried == [100, 50, 25, 26, 27, 28, 29, 30, 31, 15]


async def test_what_is_too_large_alone_is_an_error() -> None:
    async def work(_limit: int) -> None:
        raise TooLarge("one is more than the engine takes")

    with pytest.raises(TooLarge):
        await Portion(8).take(work)
