"""Keys whose first request fails, or takes its time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers.base import Store
from shoal.drivers.memory import MemoryStore
from shoal.runtime.asgi import request
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from tests.idempotency.till import Outside, till
from tests.runtime.database import Database, database

BODY = b'{"mark": "m", "amount": 1}'


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


class Slow(Outside):
    """A world outside that can be asked to wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "outside.txt")
        self.charged: list[str] = []
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        """Before it is set, nothing ends that is charged to the mark ``slow``."""

    async def charge(self, mark: str) -> None:
        self.charged.append(mark)
        self.begun.set()
        if mark == "slow":
            await self.open.wait()


class Contract:
    """What holds on every store."""

    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest.fixture
    def world(self, tmp_path: Path) -> Slow:
        return Slow(tmp_path)

    @pytest_asyncio.fixture(loop_scope="module")
    async def host(self, store: Store, world: Slow, tmp_path: Path) -> AsyncIterator[Host]:
        config = ServiceConfig(system="t", entry="x:y", environ={"TILL__OUTSIDE": str(tmp_path / "outside.txt")})
        fittings = Fittings(transport=LocalTransport(), store=store, overrides={Outside: world})
        host = Host(till, config, fittings)
        await host.start()
        yield host
        await host.stop()

    async def test_a_failed_command_is_not_remembered(self, host: Host, world: Slow) -> None:
        world.refuses = 1
        assert await post(host, "/charges") == 402
        assert await post(host, "/charges") == 201
        assert await post(host, "/charges") == 201
        assert world.charged == ["m"]

    async def test_a_failed_command_may_come_again_with_another_body(self, host: Host, world: Slow) -> None:
        world.refuses = 1
        assert await post(host, "/charges", b'{"mark": "m", "amount": 2}') == 402
        assert await post(host, "/charges") == 201
        assert await post(host, "/charges", b'{"mark": "m", "amount": 2}') == 422
        assert world.charged == ["m"]

    async def test_of_many_at_once_the_next_takes_over_from_one_that_fails(self, host: Host, world: Slow) -> None:
        world.refuses = 3
        statuses = await asyncio.gather(*(post(host, "/charges") for _ in range(8)))
        assert set(statuses) <= {201, 402}
        assert statuses.count(402) <= 3, "one that fails while another succeeds may get the answer of that one"
        assert world.charged == ["m"]

    async def test_a_body_that_cannot_be_read_uses_up_no_key(self, host: Host, world: Slow) -> None:
        assert await post(host, "/charges", b'{"mark": 1}') == 422
        assert await post(host, "/charges") == 201

    async def test_one_key_serves_each_operation_by_itself(self, host: Host, world: Slow) -> None:
        assert await post(host, "/charges") == 201
        assert await post(host, "/sales") == 201

    async def test_a_busy_key_keeps_no_other_command_waiting(self, host: Host, world: Slow) -> None:
        """Fifty that wait for one key hold no connection of the store meanwhile."""
        slow = b'{"mark": "slow", "amount": 1}'
        waiting = [asyncio.create_task(post(host, "/charges", slow, key="busy")) for _ in range(50)]
        await world.begun.wait()
        for number in range(20):
            assert await post(host, "/charges", key=f"k{number}") == 201
        world.open.set()
        assert await asyncio.gather(*waiting) == [201] * 50
        assert sorted(world.charged) == ["m"] * 20 + ["slow"]


class TestInMemory(Contract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


@pytest.mark.live
class TestOnPostgres(Contract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def store(self, server: Database) -> Store:
        return server.store(await server.empty())


async def post(host: Host, path: str, body: bytes = BODY, *, key: str = "k") -> int:
    headers = {"content-type": "application/json", "idempotency-key": key}
    status, _, _ = await asyncio.create_task(request(host, "POST", path, headers, body))
    return status
