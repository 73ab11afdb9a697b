"""Points in real processes on real engines: each ends a process once, and the shop's books are in order afterwards."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shoal import failpoints
from shoal.errors import HostError
from shoal.testing.live import LiveSystem, start_live
from tests.failpoints.points import visited
from tests.torture.clients import Crowd
from tests.torture.faults import Field
from tests.torture.rounds import Plan, play
from tests.torture.stage import stage

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]

SAMPLE = {  # replies and endpoints after the customers have signed up, which nobody repeats
    "relay.Shift._publish:after-publish": "exit@10",
    "relay.Shift._mark:before-checkpoint": "exit@14",
    "consuming.work.Worker._commit:before-commit": "exit@4",
    "consuming.work.Worker._commit:after-commit": "exit@6",
    "consuming.item.Item.ack:before-answer": "exit@5",
    "endpoint.Endpoint._commit:before-commit": "unavailable@25",
    "endpoint.Endpoint._commit:after-commit": "exit@35",
    "application.Application.__call__:before-reply": "exit@45",
}
ARMED = dict.fromkeys(visited(), "exit@2") if os.environ.get("SHOAL_EVERY_POINT") else SAMPLE
"""With ``SHOAL_EVERY_POINT=1``, every point that a service's process comes by."""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def armed(once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(failpoints.VARIABLE, ",".join(f"{point}={action}" for point, action in ARMED.items()))
        patch.setenv(failpoints.ONCE, str(once))
        try:
            running = start_live(ROOT, "shop.system:system", tmp_path_factory.mktemp("shop"))
        except HostError as error:
            pytest.skip(f"the real engines cannot run here: {error.message}")
        try:
            yield running
        finally:
            running.stop()


async def test_the_books_are_in_order_after_an_end_at_every_point(
    armed: LiveSystem, once: Path, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        field, crowd = await _patiently(stack, armed, tmp_path)
        await play(Plan(number=1, seed=7, orders=60, seconds=10.0, faults=()), crowd, field, frozenset())
        report = await armed.audit(wait=60, operations=crowd.operations)
    assert report.held, str(report)
    acted = set(os.listdir(once))  # noqa: PTH208 - names
    assert acted == SAMPLE.keys() if ARMED is SAMPLE else acted, "some point was never reached"


async def _patiently(stack: AsyncExitStack, armed: LiveSystem, copies: Path) -> tuple[Field, Crowd]:
    """Prepare the shop although points may act meanwhile; each acts once, so that some try succeeds."""
    for _ in range(2 * len(ARMED)):
        with contextlib.suppress(AssertionError, KeyError):
            return await stack.enter_async_context(stage(armed, copies, 7))
    raise AssertionError("the shop is never ready")
