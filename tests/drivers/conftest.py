"""A cluster of PostgreSQL for each file of tests that asks for it, and a database for each test."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conformance.harness import soon
from tests.drivers.postgres_engine import Engine, Harness


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(place: Path) -> AsyncIterator[Engine]:
    engine = Engine(place)
    await engine.start()
    yield engine
    await engine.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(engine: Engine) -> AsyncIterator[Harness]:
    harness = Harness(engine, await engine.account())
    yield harness
    for store in harness.opened:
        await soon(store.close())
