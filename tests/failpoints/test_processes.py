"""Points in real processes on real engines: each ends a process once, and the shop's books are in order afterwards."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shoal import failpoints
from shoal.errors import HostError
from shoal.testing import Response
from shoal.testing.live import LiveSystem, start_live
from shop.tests.people import sign_up
from shop.tests.test_orders import MUG
from tests.failpoints.points import visited
from tests.torture import processes
from tests.torture.clients import Crowd
from tests.torture.faults import Field
from tests.torture.rounds import Plan, play
from tests.torture.stage import stage

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
OUTSIDE = "mailbox"
"""In the names of files of what is no part of the shop."""

SAMPLE = {  # replies and endpoints after the customers have signed up, which nobody repeats
    "relay.Shift._publish:after-publish": "exit@10",
    "relay.Shift._mark:before-checkpoint": "exit@14",
    "consuming.work.Worker._commit:before-commit": "exit@4",
    "consuming.work.Worker._commit:after-commit": "exit@6",
    "consuming.item.Item.ack:before-answer": "exit@5",
    "endpoint.Endpoint._commit:before-commit": "unavailable@25",
    "endpoint.Endpoint._commit:after-commit": "exit@35",
    "application.Application._serve:before-reply": "exit@45",
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
            running = start_live(ROOT, "shop.system:system", tmp_path_factory.mktemp("shop"), "--no-telemetry")
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


async def test_a_customer_is_forgotten_although_everybody_who_takes_part_is_killed(armed: LiveSystem) -> None:
    """Nothing of them lies on any disk of the shop; the mails that they were sent are outside."""
    await processes.all_ready(armed)
    grace, ada = [await sign_up(armed, f"{name}.kept@example.com") for name in ("grace", "ada")]
    await _insist(201, lambda: grace.order((MUG, 1), key="one", deliver_to="grace.kept"))
    await _insist(201, lambda: ada.order((MUG, 1), key="one", deliver_to="12 Dorset St"))
    leaving = asyncio.create_task(_insist(204, lambda: armed.delete("/users/me", token=grace.token)))
    for name in ("users-0", "notifications-0", "orders-0", "analytics-0", "postgres", "nats"):
        await processes.kill(armed, name)
    await leaving
    await processes.until(lambda: not armed.run("privacy", "erasures", grace.user_id).returncode, "every report")
    await processes.all_ready(armed)
    assert (await ada.get("/users/me"))["email"] == ada.email
    assert (await armed.get("/users/me", token=grace.token)).status == 404
    assert files_with(armed, grace.user_id.encode()), "the books do not know the number of a customer"
    assert files_with(armed, b"grace.kept") == []


def files_with(shop: LiveSystem, word: bytes) -> list[str]:
    """Look through everything that the shop has on disk."""
    own = shop.root / ".shoal"
    found = [path for path in own.rglob("*") if path.is_file() and OUTSIDE not in str(path.relative_to(own))]
    return [str(path) for path in found if word in path.read_bytes().lower()]


async def _insist(status: int, ask: Callable[[], Awaitable[Response]]) -> None:
    """Repeat what may be repeated until it is done: points may act, and processes end."""
    async with asyncio.timeout(processes.BACK):
        while (await ask()).status != status:
            await asyncio.sleep(0.1)


async def _patiently(stack: AsyncExitStack, armed: LiveSystem, copies: Path) -> tuple[Field, Crowd]:
    """Prepare the shop although points may act meanwhile; each acts once, so that some try succeeds."""
    until = time.monotonic() + processes.BACK
    while True:
        try:
            return await stack.enter_async_context(stage(armed, copies, 7))
        except (AssertionError, KeyError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
