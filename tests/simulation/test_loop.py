"""The event loop of simulations: virtual time, drawn order, nothing real."""

import asyncio
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from shoal.errors import ShoalError
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.loop import Deadlock, Runaway, VirtualLoop, new_loop
from shoal.testing.simulation.seal import BEGINNING, VirtualClock, sealed


def run(main: Callable[[VirtualLoop], Awaitable[Any]], seed: int = 1, **options: Any) -> Any:
    loop = new_loop(Random(seed), **options)
    try:
        with sealed(loop, str(seed)):
            return loop.run_until_complete(main(loop))
    finally:
        loop.close()


def test_an_hour_passes_at_once() -> None:
    async def main(loop: VirtualLoop) -> tuple[float, ...]:
        await asyncio.sleep(3600)
        return loop.time(), time.monotonic(), time.time() - BEGINNING.timestamp()

    began = time.monotonic()
    assert run(main) == (3600, 3600, 3600)
    assert time.monotonic() - began < 60


def test_the_clock_is_the_loops() -> None:
    async def main(loop: VirtualLoop) -> float:
        await asyncio.sleep(5)
        return (VirtualClock(loop).now() - BEGINNING).total_seconds()

    assert run(main) == 5


def order(seed: int) -> str:
    async def main(loop: VirtualLoop) -> str:
        seen: list[str] = []

        async def say(name: str) -> None:
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(name)

        await asyncio.gather(*map(say, "abcd"))
        return "".join(seen)

    found: str = run(main, seed)
    return found


def test_tasks_interleave_by_the_seed() -> None:
    assert len({order(seed) for seed in range(20)}) > 10
    assert [order(seed) for seed in range(20)] == [order(seed) for seed in range(20)]


def test_chance_comes_from_the_seed_and_is_given_back() -> None:
    async def main(loop: VirtualLoop) -> tuple[object, ...]:
        return random.random(), random.getrandbits(64), uuid.uuid4(), os.urandom(4)

    random.seed(5)
    first = run(main)
    after = random.random()
    random.seed(5)
    assert after == random.random()
    assert run(main) == first
    assert run(main, seed=2) != first


def socket_itself() -> object:
    return socket.socket()


@pytest.mark.parametrize(
    "reach",
    [
        lambda: threading.Thread(target=print).start(),
        socket_itself,
        lambda: time.sleep(1),
        lambda: asyncio.get_running_loop().run_in_executor(None, print),
    ],
    ids=["thread", "socket", "sleep", "executor"],
)
def test_nothing_real_is_reached(reach: Callable[[], object]) -> None:
    async def main(loop: VirtualLoop) -> None:
        reach()

    with pytest.raises((ShoalError, NotImplementedError)):
        run(main)


def test_who_waits_for_nobody_is_named() -> None:
    async def wait_in_vain() -> None:
        await asyncio.Event().wait()

    async def main(loop: VirtualLoop) -> None:
        await wait_in_vain()

    with pytest.raises(Deadlock, match="wait_in_vain"):
        run(main)


def test_who_spins_is_stopped() -> None:
    async def main(loop: VirtualLoop) -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Runaway):
        run(main)


def test_who_never_ends_is_stopped() -> None:
    async def main(loop: VirtualLoop) -> None:
        while True:
            await asyncio.sleep(1)

    with pytest.raises(Runaway):
        run(main, most=1000)


async def live(seen: list[str]) -> None:
    try:
        while True:
            await asyncio.sleep(1)
            seen.append("beat")
    finally:
        seen.append("cleanup")


def test_a_killed_process_cleans_nothing_up() -> None:
    seen: list[str] = []

    async def main(loop: VirtualLoop) -> list[str]:
        domain = Domain("it")
        task = domain.spawn(live(seen))
        await asyncio.sleep(2.5)
        domain.die()
        await asyncio.sleep(5)
        assert not task.done()
        return [*seen]

    assert run(main) == ["beat", "beat"]


def test_a_frozen_process_goes_on_where_it_was() -> None:
    seen: list[str] = []

    async def main(loop: VirtualLoop) -> list[str]:
        domain = Domain("it")
        task = domain.spawn(live(seen))
        await asyncio.sleep(2.5)
        domain.freeze()
        await asyncio.sleep(10)
        assert seen == ["beat", "beat"]
        for handle in domain.thaw():
            loop.give_back(handle)
        await asyncio.sleep(1.5)
        assert not task.done()
        return [*seen]

    assert run(main) == ["beat"] * 4


def test_doom_comes_between_two_steps() -> None:
    async def main(loop: VirtualLoop) -> int:
        domain = Domain("it")
        domain.after(7, domain.die)
        task = domain.spawn(live([]))
        await asyncio.sleep(100)
        assert not task.done()
        return domain.steps

    assert run(main) == 7
