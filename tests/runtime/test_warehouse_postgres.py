"""Facts on PostgreSQL, on their way into a real file: whoever loads them may be killed at any point."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.runtime.database import Database, database
from tests.runtime.warehouse_victim import FACTS, POINTS, Visits

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


async def test_each_fact_is_there_once_whoever_was_killed(server: Database, tmp_path: Path) -> None:
    store, warehouse = await server.empty(), f"duckdb://{tmp_path}/w/facts.duckdb"
    for point in POINTS:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.runtime.warehouse_victim", store, warehouse, point],
            check=False, timeout=60, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == (-signal.SIGKILL if point else 0), (point, done.stderr)
    assert done.stdout.strip() == f"{[1] * FACTS} {[Visits(times=FACTS, sum=sum(range(FACTS)))]}"
