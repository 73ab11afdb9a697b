"""``Idempotency-Key`` (T22): whoever sends a command how often, at the same time or after a kill, it happens once."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.idempotency.pairs import Answer, Group, group, play
from tests.idempotency.stage import CONNECTIONS, Till, measure, till
from tests.runtime.database import Database, database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PAIRS = 2_000
"""``make torture`` asks ten thousand."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", name="running")
async def _running(server: Database, tmp_path: Path) -> AsyncIterator[Till]:
    async with till(server, tmp_path) as running:
        yield running


async def test_each_of_many_pairs_has_one_effect() -> None:
    tally, effects = await measure(PAIRS)
    assert tally.wrong == []
    assert effects == PAIRS
    assert tally.answers["422"] > PAIRS * 0.15
    assert tally.answers["201"] + tally.answers["422"] == 2 * PAIRS
    assert tally.answers["replayed"] == tally.answers["201"] - PAIRS


async def test_up_to_fifty_clients_use_one_key(running: Till) -> None:
    chance = random.Random(22)  # noqa: S311 - repeatable
    groups = [group(chance, chance.choices([1, 2, 3], [6, 1, 1], k=chance.randint(2, 50))) for _ in range(40)]
    tally = await play(groups, running.post, at_a_time=4)
    assert tally.wrong == []
    assert await running.sales() == {g.mark: [tally.amounts[g.mark]] for g in groups}
    assert running.charged() == {g.mark: 1 for g in groups if g.path == "/charges"}


async def test_retries_after_kills_have_one_effect_and_one_answer(running: Till) -> None:
    chance = random.Random(9)  # noqa: S311 - repeatable
    groups = [group(chance, [1] * chance.randint(1, 4)) for _ in range(600)]
    playing = asyncio.create_task(play(groups, running.post, at_a_time=CONNECTIONS // 2))
    for _ in range(3):
        before = len(await running.sales())
        async with asyncio.timeout(30):
            while len(await running.sales()) < min(before + 60, len(groups) - 100):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.005)
        await running.kill()
    tally = await playing
    assert tally.wrong == []
    assert await running.sales() == {g.mark: [1] for g in groups}
    outside = running.charged()
    assert set(outside) == {g.mark for g in groups if g.path == "/charges"}, "what is outside happens at least once"


async def test_the_answer_is_the_same_after_a_restart(running: Till) -> None:
    sent = Group(key="k", path="/sales", bodies=(b'{"mark": "m", "amount": 1}',))
    first = await running.post(sent.path, sent.key, sent.bodies[0])
    await running.kill()
    again = await running.post(sent.path, sent.key, sent.bodies[0])
    assert (first.status, first.replayed) == (201, False)
    assert again == Answer(status=201, body=first.body, replayed=True)
    other = await running.post(sent.path, sent.key, b'{"mark": "m", "amount": 2}')
    assert other.status == 422
    assert await running.sales() == {"m": [1]}
