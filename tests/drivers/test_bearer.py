"""Tokens are lent once for all who want one, before they end; without an answer the present one does."""

import asyncio
import time

import pytest

from shoal.drivers.base import bearer
from shoal.drivers.base.bearer import Bearer, Token
from shoal.errors import Unavailable


class Desk:
    """Lends tokens that are good for some time."""

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.asked, self.closed = [*seconds], 0, False
        self.open = asyncio.Event()
        self.open.set()

    async def lend(self) -> Token:
        self.asked += 1
        await self.open.wait()
        if self.closed:
            raise Unavailable("closed")
        return Token(f"t{self.asked}", time.time() + self.seconds[min(self.asked, len(self.seconds)) - 1])


def said(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


async def test_who_wants_one_at_once_gets_the_same() -> None:
    desk = Desk(3600)
    desk.open.clear()
    lent = Bearer(desk.lend)
    waiting = [asyncio.create_task(lent.headers()) for _ in range(8)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    desk.open.set()
    assert await asyncio.gather(*waiting[1:]) == [said("t1")] * 7
    assert desk.asked == 1


async def test_another_one_is_lent_before_it_ends_but_not_while_there_is_none() -> None:
    desk = Desk(bearer.MARGIN + 20, bearer.MARGIN - 1, 3600)
    lent = Bearer(desk.lend)
    assert await lent.headers() == await lent.headers() == said("t1")
    desk = Desk(bearer.MARGIN - 1, 3600)
    lent = Bearer(desk.lend)
    assert [await lent.headers(), await lent.headers()] == [said("t1"), said("t2")]


async def test_one_that_is_still_good_does_while_nobody_lends() -> None:
    desk = Desk(bearer.MARGIN - 1)
    lent = Bearer(desk.lend)
    assert await lent.headers() == said("t1")
    desk.closed = True
    assert [await lent.headers(), await lent.headers()] == [said("t1")] * 2
    assert desk.asked == 2  # and not for each request


async def test_where_there_is_none_everybody_is_told_at_once() -> None:
    desk = Desk(3600)
    desk.closed = True
    desk.open.clear()
    lent = Bearer(desk.lend)
    waiting = [asyncio.create_task(lent.headers()) for _ in range(5)]
    await asyncio.sleep(0)
    desk.open.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert desk.asked == 1


async def test_one_that_was_refused_is_let_go_of() -> None:
    desk = Desk(bearer.MARGIN - 1, 3600)
    lent = Bearer(desk.lend)
    await lent.headers()
    desk.closed = True
    await lent.headers()
    lent.forget()
    with pytest.raises(Unavailable):
        await lent.headers()
