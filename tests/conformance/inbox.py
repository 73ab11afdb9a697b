"""What the inbox of a store remembers."""

import pytest

from shoal.drivers.base import Store
from shoal.errors import Duplicate
from tests.conformance.harness import CREATE, PRICES, StoreHarness, mark


class InboxContract:
    """A message is handled once its transaction has committed."""

    async def test_a_message_is_handled_once_it_is_committed(self, harness: StoreHarness) -> None:
        store = await harness.store()
        await store.migrate([CREATE])
        async with store.session() as session:
            session.accept(mark())
            session.accept(mark("n"))
            await session.flush()
            assert await store.handled([mark()]) == frozenset()
        others = [mark("o"), mark(consumer="d"), mark(days=1)]
        assert await store.handled([mark(), mark("n"), *others]) == {mark(), mark("n")}
        assert await store.handled([]) == frozenset()

    async def test_a_repetition_meets_its_mark_before_a_row_of_the_first_time(self, harness: StoreHarness) -> None:
        store = await harness.store()
        await store.migrate([CREATE])
        await _handle(store)
        with pytest.raises(Duplicate):
            await _handle(store)


async def _handle(store: Store) -> None:
    async with store.session() as session:
        session.accept(mark())
        session.insert(PRICES, {"sku": "s", "amount": 1})
