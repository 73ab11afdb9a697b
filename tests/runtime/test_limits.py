"""Many pieces of work under one timer, held to account as `asyncio.timeout` would."""

import asyncio

import pytest

from shoal.runtime.deadline import Budget, Limit, Limits

SOON, LATE = 0.01, 60.0


async def forever() -> None:
    await asyncio.Event().wait()


async def test_work_that_outlives_its_budget_is_timed_out() -> None:
    limits = Limits()
    with pytest.raises(TimeoutError), Limit(limits, Budget(SOON)):
        await forever()
    assert not limits.live


async def test_a_spent_budget_ends_the_work_at_its_first_wait() -> None:
    with pytest.raises(TimeoutError), Limit(Limits(), Budget(0.0)):
        await forever()


async def test_a_shorter_budget_that_comes_later_is_not_held_up_by_a_longer_one() -> None:
    limits = Limits()

    async def patient() -> None:
        with Limit(limits, Budget(LATE)):
            await forever()

    waiting = asyncio.create_task(patient())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError), Limit(limits, Budget(SOON)):
        await forever()
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_every_piece_of_work_is_ended_at_its_own_time() -> None:
    limits = Limits()
    ended: list[float] = []

    async def work(seconds: float) -> None:
        try:
            with Limit(limits, Budget(seconds)):
                await forever()
        except TimeoutError:
            ended.append(seconds)

    await asyncio.gather(*(work(SOON * n) for n in (3, 1, 2)))
    assert ended == [SOON, SOON * 2, SOON * 3]


async def test_the_timer_looks_again_for_what_began_while_it_was_set() -> None:
    limits = Limits()
    with Limit(limits, Budget(SOON)):
        pass
    with pytest.raises(TimeoutError), Limit(limits, Budget(SOON * 2)):
        await forever()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    limits = Limits()

    async def work() -> None:
        with Limit(limits, Budget(LATE)):
            await forever()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not limits.live


async def test_the_task_goes_on_after_a_timeout() -> None:
    with pytest.raises(TimeoutError), Limit(Limits(), Budget(SOON)):
        await forever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


def test_one_loop_may_follow_another() -> None:
    limits = Limits()

    async def in_time() -> None:
        with Limit(limits, Budget(SOON)):
            pass

    async def late() -> None:
        with Limit(limits, Budget(SOON)):
            await forever()

    asyncio.run(in_time())
    with pytest.raises(TimeoutError):
        asyncio.run(late())
