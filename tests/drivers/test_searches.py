"""Every engine of searching keeps the contract: the reference, and PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.drivers import open_search
from shoal.drivers.base.search import Search
from shoal.drivers.memory import MemorySearch
from tests.conformance.search import (
    FieldsContract,
    NamesContract,
    VersionsContract,
    WordsContract,
    asked,
    change,
    filled,
    keys,
)
from tests.drivers.postgres_engine import Engine


class TestMemory(WordsContract, FieldsContract, VersionsContract, NamesContract):
    @pytest.fixture
    def search(self) -> Search:
        return MemorySearch()


@pytest.mark.asyncio(loop_scope="module")
class TestPostgres(WordsContract, FieldsContract, VersionsContract, NamesContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def search(self, engine: Engine) -> AsyncIterator[Search]:
        made = await engine.account()
        search = open_search(engine.url(made.role, made.password, made.database))
        yield search
        await search.close()

    async def test_endings_of_words_are_taken_off(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, "mugs") == ["C"]
        hit = (await search.search(asked("skillets fitting"))).hits[0]
        assert set(hit.highlights) == {"description"}

    async def test_weights_outdo_frequency(self, search: Search) -> None:
        often = {"name": "Lid", "description": "skillet skillet skillet"}
        await filled(search, [change("A", {"name": "Skillet", "description": ""}), change("B", often)])
        assert await keys(search, "skillet") == ["A", "B"]
