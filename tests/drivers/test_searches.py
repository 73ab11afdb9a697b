"""The reference and PostgreSQL keep the contract of searching; for OpenSearch see `test_opensearch`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.drivers import open_search
from shoal.drivers.base.search import Search
from shoal.drivers.memory import MemorySearch
from tests.conformance.search import EndingsContract, FieldsContract, NamesContract, VersionsContract, WordsContract
from tests.drivers.postgres_engine import Engine


class TestMemory(WordsContract, FieldsContract, VersionsContract, NamesContract):
    @pytest.fixture
    def search(self) -> Search:
        return MemorySearch()


@pytest.mark.asyncio(loop_scope="module")
class TestPostgres(WordsContract, FieldsContract, VersionsContract, NamesContract, EndingsContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def search(self, engine: Engine) -> AsyncIterator[Search]:
        made = await engine.account()
        search = open_search(engine.url(made.role, made.password, made.database))
        yield search
        await search.close()
