"""Service Bus keeps the contract of brokers, as far as its row in the catalog goes; it is played over AMQP 1.0."""

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.conformance.broker import AnswerContract, FetchContract, LossContract, PublishContract
from tests.conformance.rewinding import OperatorContract, RegressContract, RewindContract

if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Service Bus", allow_module_level=True)
pytest.importorskip("proton", reason="the client of Service Bus is not installed: pip install 'shoal[servicebus]'")

if TYPE_CHECKING:
    from tests.servicebus_played.harness import ServicebusHarness

pytestmark = [pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator["ServicebusHarness"]:
    from tests.servicebus_played.harness import ServicebusHarness  # noqa: PLC0415 - not before it is known to be there

    harness = ServicebusHarness()
    await harness.start()
    yield harness
    await harness.crash()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: "ServicebusHarness") -> AsyncIterator["ServicebusHarness"]:
    yield server
    await server.clear()


class TestPublish(PublishContract):
    pass


class TestFetch(FetchContract):
    pass


class TestAnswer(AnswerContract):
    pass


class TestLoss(LossContract):
    pass


class TestRewind(RewindContract):
    pass


class TestRegress(RegressContract):
    pass


class TestOperator(OperatorContract):
    pass
