"""What Terraform is to make of streams is made at an emulator, and the driver finds its own there."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from shoal.deploy.cloud.streams import declarations
from shoal.deploy.gcp.hcl import messages as written
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Resource, Subscription, Topic
from shoal.deploy.terraform.values import Argument, Block, Raw
from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Message
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.address import read
from shoal.drivers.pubsub.link import Link
from shoal.errors import HostError
from shoal.local.engines import pubsub, start
from shoal.local.ports import free_port
from shoal.local.urls import pubsub_url
from shoal.runtime.declaring import Declarations
from tests.deploy.gcp.samples import SMALL, scope_of
from tests.deploy.samples import CAFE

if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Pub/Sub", allow_module_level=True)
try:
    pubsub.locate()
except HostError as error:
    pytest.skip(f"{error.message}: {error.hint}", allow_module_level=True)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SCOPE = scope_of(CAFE, SMALL)
RESOURCES = resources(SCOPE)
DECLARED = msgspec.json.decode(declarations(SCOPE.plan), type=Declarations)


class Cloud:
    """Does what Terraform would do with a few kinds of its resources."""

    def __init__(self, url: str) -> None:
        self.url, self.link = url, Link(read(url))

    async def apply(self, some: list[Resource]) -> None:
        context = Context(scope=SCOPE, resources=RESOURCES)
        for one in some:
            printer: Any = written.topic if isinstance(one, Topic) else written.subscription
            for block in printer(one, context):
                await self._make(block)

    async def _make(self, block: Block) -> None:
        said: dict[str, Any] = {item.name: item.value for item in block.body if isinstance(item, Argument)}
        if block.labels[0] == "google_pubsub_topic":
            await self.link.ask("PUT", self.link.topic(said["name"]), {})
            return
        assert isinstance(said["topic"], Raw)
        topic = next(one.name for one in RESOURCES if isinstance(one, Topic) and _label(one) in said["topic"].text)
        kept = min(int(said["message_retention_duration"][:-1]), wire.EMULATED_KEEPING)
        body = {
            "topic": self.link.topic(topic),
            "enableMessageOrdering": said["enable_message_ordering"],
            "ackDeadlineSeconds": said["ack_deadline_seconds"],
            "messageRetentionDuration": f"{kept}s",
            "expirationPolicy": {},
            **({"filter": said["filter"]} if "filter" in said else {}),
        }
        await self.link.ask("PUT", self.link.subscription(said["name"]), body)


def _label(one: Topic) -> str:
    return f"google_pubsub_topic.{one.name.replace('.', '_')}."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncIterator[Cloud]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    options = pubsub.PubsubOptions(directory=directory, port=free_port())
    running = await start(pubsub.recipe(options), on_line=lambda _: None)
    found = Cloud(pubsub_url(options.port, "cafe-dev"))
    yield found
    await found.link.close()
    await running.process.kill()
    shutil.rmtree(directory, ignore_errors=True)


async def test_the_driver_finds_its_own_and_hears_what_is_published_with_a_later_hearer_too(cloud: Cloud) -> None:
    made: list[Resource] = [one for one in RESOURCES if isinstance(one, Topic | Subscription)]
    late = next(one for one in made if one.name == "CAFE_TILL.menu-3")
    await cloud.apply([one for one in made if one is not late])
    admin, before = broker_admin(cloud.url), await _subscriptions(cloud)
    await admin.declare(DECLARED.streams, [one for one in DECLARED.consumers if one.name != "menu-3"])
    after = await _subscriptions(cloud)
    turns = {name for name in after if name.endswith("._turn")}
    assert {name: one for name, one in after.items() if name not in turns} == before, "the driver made nothing anew"
    assert turns, "and the subscription of whose turn it is is its own"
    first = int((await admin.positions())["CAFE_TILL"].made)
    await cloud.apply([late])
    await admin.declare(DECLARED.streams, DECLARED.consumers)
    assert await admin.missing(DECLARED.streams, DECLARED.consumers) == ([], [])
    assert int((await admin.positions())["CAFE_TILL"].made) > first, "who publishes does so once more, for who is new"
    consumer = next(one for one in DECLARED.consumers if one.name == "menu-3")
    broker = open_broker(cloud.url)
    await broker.open()
    try:
        await broker.publish([Message(id="m1", subject=consumer.subjects[0], body=b"{}", headers={}, key="k")])
        (delivery,) = await broker.fetch(consumer, 1, 10.0)
        assert delivery.message.id == "m1"
        await delivery.ack()
    finally:
        await broker.close()


async def _subscriptions(cloud: Cloud) -> dict[str, Any]:
    found = {one["name"].rpartition("/")[2]: one async for one in cloud.link.pages("subscriptions")}
    return {name: {**one, "state": ""} for name, one in found.items()}
