"""Exclusive rights: one holder, quick takeover, fair shares."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from shoal.drivers.base import Lease, Store
from tests.conformance.harness import StoreHarness, soon
from tests.conformance.store import ready

NAMES = tuple(f"part {number}" for number in range(4))


class Member:
    """A process that asks for every right of a group, and gives back what others want."""

    def __init__(self, store: Store, names: Sequence[str], group: str, owners: dict[str, "Member"]) -> None:
        self.store, self.held = store, set[str]()
        self._owners, self._group = owners, group
        self.tasks = [asyncio.create_task(self._work(name)) for name in names]

    async def _work(self, name: str) -> None:
        while True:
            async with self.store.lease(name, group=self._group) as lease:
                assert name not in self._owners
                self._owners[name] = self
                self.held.add(name)
                try:
                    await _either(lease)
                finally:
                    self._forget(name)

    def _forget(self, name: str) -> None:
        if self._owners.get(name) is self:
            del self._owners[name]
        self.held.discard(name)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def die(self, harness: StoreHarness) -> None:
        for name in [*self.held]:  # from now on they may be another's
            self._forget(name)
        await harness.vanish(self.store)
        await self.leave()


async def _either(lease: Lease) -> None:
    ends = [asyncio.create_task(event.wait()) for event in (lease.lost, lease.wanted)]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


class LeaseContract:
    """Who may do what nobody else does meanwhile."""

    async def test_a_right_has_one_holder(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]
        inside: list[int] = []
        most = 0

        async def work(number: int) -> None:
            nonlocal most
            async with stores[number % 2].lease("one"):
                inside.append(number)
                most = max(most, len(inside))
                await asyncio.sleep(0)
                inside.remove(number)

        await soon(asyncio.gather(*map(work, range(6))))
        assert most == 1

    async def test_different_rights_are_held_side_by_side(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.lease("one") as one, soon_held(store, "two"):
            assert not one.lost.is_set()
            assert not one.wanted.is_set()

    async def test_a_right_passes_on_when_its_holder_dies(self, harness: StoreHarness) -> None:
        first, second = await ready(harness), await harness.store()
        async with first.lease("one") as lease:
            waiting = asyncio.create_task(_hold_once(second, "one"))
            await asyncio.sleep(0)
            await harness.vanish(first)
            await soon(waiting)
            await soon(lease.lost.wait())

    async def test_who_stops_waiting_gets_nothing(self, harness: StoreHarness) -> None:
        first, second = await ready(harness), await harness.store()
        async with first.lease("one"):
            waiting = asyncio.create_task(_hold_once(second, "one"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
        await soon(_hold_once(first, "one"))
        await soon(_hold_once(second, "one"))

    async def test_a_group_is_shared_evenly_and_again_when_somebody_joins_or_dies(self, harness: StoreHarness) -> None:
        owners: dict[str, Member] = {}
        members = [Member(await ready(harness), NAMES, "g", owners)]
        await _until(owners, [4])
        members.append(Member(await harness.store(), NAMES, "g", owners))
        await _until(owners, [2, 2])
        members.append(Member(await harness.store(), NAMES, "g", owners))
        await _until(owners, [1, 1, 2])
        await members.pop().leave()
        await _until(owners, [2, 2])
        await members.pop().die(harness)
        await _until(owners, [4])
        await members.pop().leave()

    @pytest.mark.parametrize("group", ["", "h"])
    async def test_rights_of_others_do_not_count(self, harness: StoreHarness, group: str) -> None:
        owners: dict[str, Member] = {}
        first = Member(await ready(harness), NAMES, "g", owners)
        await _until(owners, [4])
        second = Member(await harness.store(), ("other",), group, owners)
        await _until(owners, [1, 4])
        assert len(first.held) == 4
        for member in (first, second):
            await member.leave()


class soon_held:  # noqa: N801 - reads as a function
    """Hold a right that must be free."""

    def __init__(self, store: Store, name: str) -> None:
        self._context = store.lease(name)

    async def __aenter__(self) -> Lease:
        return await soon(self._context.__aenter__())

    async def __aexit__(self, *error: object) -> None:
        await self._context.__aexit__(None, None, None)


async def _hold_once(store: Store, name: str) -> None:
    async with store.lease(name):
        pass


async def _until(owners: dict[str, Member], shares: list[int]) -> None:
    """Wait until the rights are held like this, and stay so."""
    async with asyncio.timeout(20):
        steady = 0
        while steady < 20:
            steady = steady + 1 if sorted(Counter(map(id, owners.values())).values()) == shares else 0
            await asyncio.sleep(0.005)
