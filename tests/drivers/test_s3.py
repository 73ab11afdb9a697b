"""S3's interface keeps the contract of objects, as SeaweedFS serves it, and as MiniStack does."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import objects_admin, open_objects
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base.objects import ABSENT, ObjectStore
from shoal.errors import DeclarationError, EngineError, HostError, Unavailable
from shoal.local.engines import Running, aws, s3, start
from shoal.local.engines.s3 import S3Options, S3User
from shoal.local.ports import free_port
from shoal.local.urls import aws_url
from tests.conformance.objects import (
    PNG,
    Client,
    ConditionContract,
    ContentContract,
    DigestContract,
    ListContract,
    MeasuredContract,
    UrlContract,
    stream,
)
from tests.drivers.browsing import browser

try:
    s3.locate()
except HostError as error:
    pytest.skip(str(error), allow_module_level=True)
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of S3's interface", allow_module_level=True)
pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


PATHS = {"s3": {"addressing_style": "path"}}


class Server:
    """A server for all tests of this file, with a bucket of the service's and one of somebody else's."""

    def __init__(self, place: Path) -> None:
        users = (
            S3User(name="operator", password="o-secret"),
            S3User(name="shop", password="s/ecret+", bucket="town-shop"),
        )
        ports = {name: free_port() for name in s3.PORTS}
        self.options = S3Options(directory=place / "s3", ports=ports, users=users)
        self.log: list[str] = []
        self._running: Running | None = None

    async def start(self) -> None:
        self._running = await start(s3.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    def url(self, bucket: str = "town-shop", user: str = "shop", password: str = "s/ecret+") -> str:  # noqa: S107 - made up
        return aws_url("s3", self.options.ports["s3"], user, password, bucket)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(place: Path) -> AsyncIterator[Server]:
    server = Server(place)
    await server.start()
    operator = objects_admin(server.url("", "operator", "o-secret"))
    for _ in range(2):  # what is there is left as it is
        await operator.declare(["town-shop", "town-other"])
    yield server
    await server.stop()


async def emptied(url: str) -> ObjectStore:
    objects = open_objects(url)
    await objects.open()
    for found in await objects.list():
        await objects.delete(found.name)
    return objects


class TestS3(ContentContract, DigestContract, ConditionContract, ListContract, UrlContract, MeasuredContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def objects(self, server: Server) -> AsyncIterator[ObjectStore]:
        objects = await emptied(server.url())
        yield objects
        await objects.close()

    @pytest.fixture
    def client(self) -> Client:
        return browser()

    async def test_a_killed_server_keeps_what_it_acknowledged(self, server: Server, objects: ObjectStore) -> None:
        await objects.put("kept", b"x" * 300_000, PNG)
        await server.crash()
        with pytest.raises(Unavailable):
            await objects.get("kept")
        await server.start()
        assert await objects.get("kept") == b"x" * 300_000
        found = await objects.head("kept")
        assert found is not None
        assert found.type == PNG

    @pytest.mark.parametrize(
        ("bucket", "password"), [("town-other", "s/ecret+"), ("town-shop", "wrong"), ("none", "s/ecret+")]
    )
    async def test_a_service_enters_its_own_bucket_only(self, server: Server, bucket: str, password: str) -> None:
        objects = open_objects(server.url(bucket, password=password))
        for attempt in (objects.put("a", b"x", PNG), objects.get("a"), objects.list()):
            with pytest.raises(EngineError, match="refused"):
                await attempt
        await objects.close()

    async def test_an_upload_that_fails_leaves_no_parts(self, server: Server, objects: ObjectStore) -> None:
        async def broken() -> AsyncIterator[bytes]:
            async for piece in stream(*[b"x" * 1024 * 1024] * 20):
                yield piece
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await objects.put("big", broken(), PNG)
        operator = AwsClient("s3", read(server.url(user="operator", password="o-secret")), settings=PATHS)
        assert not (await operator.ask("list_multipart_uploads", Bucket="town-shop")).get("Uploads")
        await operator.close()
        assert await objects.list() == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(place: Path) -> AsyncIterator[str]:
    try:
        aws.locate()
    except HostError as error:
        pytest.skip(str(error))
    port = free_port()
    running = await start(aws.recipe(aws.AwsOptions(directory=place / "aws", port=port)), on_line=lambda _: None)
    await objects_admin(aws_url("s3", port, "operator", "o", "")).declare(["town-shop"])
    yield aws_url("s3", port, "shop", "s", "town-shop")
    await running.process.stop()


class TestMiniStack(ContentContract, DigestContract, ConditionContract, ListContract):
    """Looks at no keys, so that it says nothing of URLs."""

    @pytest_asyncio.fixture(loop_scope="module")
    async def objects(self, played: str) -> AsyncIterator[ObjectStore]:
        objects = await emptied(played)
        yield objects
        await objects.close()


@pytest.mark.parametrize("url", ["s3:///?region=eu-central-1", "s3://a:b@h/x/y", "s3://a@h/x", "gcs:///"])
async def test_an_address_names_a_bucket(url: str) -> None:
    with pytest.raises(DeclarationError):
        open_objects(url)


async def test_google_is_asked_without_conditions() -> None:
    objects = open_objects("gcs://GOOG1:secret@/town-shop")
    url = await objects.link("pictures/a", 60)
    assert url.startswith("https://storage.googleapis.com/town-shop/pictures/a?")
    ticket = await objects.upload("pictures/a", 60, type=PNG, size=5)
    assert ticket.headers == {"content-type": PNG}
    with pytest.raises(EngineError, match="no conditions"):
        await objects.put("a", b"x", PNG, expect=ABSENT)
    await objects.close()
