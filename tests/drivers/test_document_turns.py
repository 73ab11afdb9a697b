"""Who has a lock on and off leaves it to those who wait for long, and to nobody who died waiting."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents import turns
from shoal.drivers.base.documents.engine import Document, Engine
from shoal.drivers.base.documents.turns import Turns


class Waits:
    """An engine that holds who waits."""

    def __init__(self) -> None:
        self.owners: list[str] = []
        self.asked = 0

    async def search(self, _table: Table, _query: Query) -> Sequence[Document]:
        self.asked += 1
        return [Document(key=owner, version="1", row={}) for owner in self.owners]


async def test_a_lock_that_a_process_has_on_and_off_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits, left = [0.0], Waits(), list[float]()

    async def sleep(seconds: float) -> None:
        left.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    mine = Turns(cast("Engine", waits), lambda: now[0])

    async def work(times: int) -> None:
        for _ in range(times):
            await mine.give("row")
            now[0] += 0.1
            mine.freed(["row"])

    waits.owners = ["somebody"]
    await work(8)
    assert not left  # they wait for what anybody waits
    await work(5)
    assert left == [turns.TURN]
    waits.owners = []
    await work(30)
    assert left == [turns.TURN]
    assert waits.asked <= 5  # once a second, whoever waits
    waits.owners = ["who died"]
    await work(80)
    assert len(left) == 1 + 3
