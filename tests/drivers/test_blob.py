"""Azure Blob Storage keeps the contract of objects, as Azurite serves it: by an account's key, and by an identity."""

import base64
import datetime as dt
import os
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from shoal.drivers import objects_admin, open_objects
from shoal.drivers.azblob import BlobObjects
from shoal.drivers.azblob.address import BlobAddress, read
from shoal.drivers.azblob.service import BlobService
from shoal.drivers.base.bearer import Bearer, Token
from shoal.drivers.base.objects import ABSENT, ObjectStore
from shoal.drivers.base.rest import Rest
from shoal.errors import EngineError, HostError, Unavailable
from shoal.local.engines import Running, blob, start
from shoal.local.engines.blob import BlobAccount, BlobOptions
from shoal.local.ports import LOOPBACK, free_port
from shoal.local.urls import blob_url
from shoal.mesh.certificates import Issuance, authority, edge
from tests.conformance.objects import (
    PNG,
    REFUSED,
    Client,
    ConditionContract,
    ContentContract,
    ListContract,
    UrlContract,
    stream,
)
from tests.drivers.browsing import browser

try:
    blob.locate()
except HostError as error:
    pytest.skip(str(error), allow_module_level=True)
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Azure Blob Storage", allow_module_level=True)
pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

KEY, OTHER = (base64.b64encode(word * 8).decode() for word in (b"\xfb\xff/+", b"other"))


class Server:
    """An emulator for all tests of this file, with an account of the service's and one of somebody else's."""

    def __init__(self, place: Path, certificate: tuple[Path, Path] | None = None) -> None:
        accounts = (BlobAccount(name="shop", key=KEY), BlobAccount(name="other", key=OTHER))
        self.options = BlobOptions(directory=place, port=free_port(), accounts=accounts, certificate=certificate)
        self.log: list[str] = []
        self._running: Running | None = None

    async def start(self) -> None:
        self._running = await start(blob.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    def url(self, container: str = "town-shop", account: str = "shop", key: str = KEY) -> str:
        return blob_url(self.options.port, account, key, container)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(place: Path) -> AsyncIterator[Server]:
    server = Server(place / "blob")
    await server.start()
    for _ in range(2):  # what is there is left as it is
        await objects_admin(server.url("")).declare(["town-shop"])
    yield server
    await server.stop()


async def emptied(objects: ObjectStore) -> ObjectStore:
    await objects.open()
    for found in await objects.list():
        await objects.delete(found.name)
    return objects


class TestKey(ContentContract, ConditionContract, ListContract, UrlContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def objects(self, server: Server) -> AsyncIterator[ObjectStore]:
        objects = await emptied(open_objects(server.url()))
        yield objects
        await objects.close()

    @pytest.fixture
    def client(self) -> Client:
        return browser()

    async def test_what_a_ticket_brings_is_seen_as_it_is(self, objects: ObjectStore, client: Client) -> None:
        """Nothing that Azure signs says a size, a type or a digest: whoever accepts compares, and believes none."""
        ticket = await objects.upload("new", 60, type=PNG, size=5)
        lies = {"content-type": "text/html", "x-ms-blob-content-encoding": "gzip", "x-ms-meta-sha256": "0" * 64}
        assert (await client("PUT", ticket.url, {**ticket.headers, **lies}, b"123456"))[0] == 201
        found = await objects.head("new")
        assert found is not None
        assert (found.size, found.type, found.sha256) == (6, "text/html", "")
        assert await objects.get("new") == b"123456"

    async def test_a_ticket_writes_in_one_request(self, objects: ObjectStore, client: Client) -> None:
        ticket = await objects.upload("new", 60, type=PNG, size=5)
        for asked, headers in (
            ("&comp=block&blockid=MDAwMQ==", {}),
            ("&comp=blocklist", {}),
            ("&comp=metadata", {"x-ms-meta-a": "b"}),
        ):
            assert (await client("PUT", ticket.url + asked, headers, b"<BlockList/>"))[0] in REFUSED
        assert (await client("DELETE", ticket.url))[0] == 403
        assert await objects.head("new") is None

    async def test_pages_follow_each_other_wherever_one_begins(self, objects: ObjectStore) -> None:
        names = [f"page/{number:02}" for number in range(7)]
        for name in names:
            await objects.put(name, b"x", PNG)
        assert [one.name for one in await objects.list("page/", after="page/02", limit=2)] == names[3:5]
        assert [one.name for one in await objects.list("page/", limit=3)] == names[:3]
        await objects.delete("page/02")
        await objects.put("page/025", b"x", PNG)
        assert [one.name for one in await objects.list("page/", after="page/02", limit=2)] == ["page/025", "page/03"]
        assert [one.name for one in await objects.list("page/", after="page/05")] == ["page/06"]
        assert [one.name for one in await objects.list("page/", limit=2)] == names[:2]

    async def test_an_upload_that_fails_spoils_no_other(self, objects: ObjectStore) -> None:
        async def broken() -> AsyncIterator[bytes]:
            async for piece in stream(*[b"x" * 1024 * 1024] * 20):
                yield piece
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await objects.put("big", broken(), PNG)
        assert await objects.list() == []
        put = await objects.put("big", stream(*[b"y" * 1024 * 1024] * 9), PNG, expect=ABSENT)
        assert put.size == 9 * 1024 * 1024

    async def test_two_large_writers_do_not_mix(self, objects: ObjectStore) -> None:
        block = 1024 * 1024

        async def dying() -> AsyncIterator[bytes]:
            yield b"b" * 17 * block
            raise RuntimeError

        async def crossed() -> AsyncIterator[bytes]:
            yield b"a" * 17 * block
            with pytest.raises(RuntimeError):
                await objects.put("big", dying(), PNG)
            yield b"a" * block

        await objects.put("big", crossed(), PNG)
        assert await objects.get("big") == b"a" * 18 * block

    async def test_a_killed_server_is_found_again(self, server: Server, objects: ObjectStore) -> None:
        await server.crash()
        for attempt in (objects.get("a"), objects.put("a", b"x", PNG), objects.list()):
            with pytest.raises(Unavailable):
                await attempt
        await server.start()
        await objects_admin(server.url("")).declare(["town-shop"])  # what it kept last may be lost
        await objects.put("a", b"x", PNG)
        assert await objects.get("a") == b"x"

    async def test_an_answer_that_breaks_off_is_no_end(self, server: Server, objects: ObjectStore) -> None:
        await objects.put("large", stream(*[b"x" * 1024 * 1024] * 40), PNG)
        reading = await objects.read("large")
        assert reading is not None
        await anext(reading)
        await server.crash()
        with pytest.raises(Unavailable, match="broke off"):
            assert [piece async for piece in reading]
        await server.start()
        await objects_admin(server.url("")).declare(["town-shop"])

    @pytest.mark.parametrize(
        ("container", "account", "key"),
        [("town-shop", "shop", OTHER), ("town-none", "shop", KEY), ("town-shop", "other", OTHER)],
    )
    async def test_a_key_opens_its_own_account_only(
        self, server: Server, container: str, account: str, key: str
    ) -> None:
        objects = open_objects(server.url(container, account, key))
        for attempt in (objects.put("a", b"x", PNG), objects.get("a"), objects.list(), objects.delete("a")):
            with pytest.raises(EngineError, match="refused"):
                await attempt
        await objects.close()

    async def test_no_secret_is_told(self, server: Server) -> None:
        address = read(server.url())
        assert base64.b64encode(address.key).decode() == KEY
        assert KEY not in repr(address) + repr(server.options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(place: Path) -> AsyncIterator[tuple[BlobAddress, ssl.SSLContext]]:
    """Start an emulator that speaks TLS; it looks into tokens, and not at who signed them."""
    now = dt.datetime.now(dt.UTC)
    issuance = Issuance(
        now=now, validity=dt.timedelta(hours=1), new_key=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root = authority("town", issuance)
    leaf = edge(root, [LOOPBACK], issuance)
    files = place / "server.pem", place / "server.key"
    for file, text in zip(files, (leaf.certificate, leaf.key), strict=True):
        file.write_text(text)
    server = Server(place / "secure", files)
    await server.start()
    address = BlobAddress(base=f"https://{LOOPBACK}:{server.options.port}/shop", account="shop", container="town-shop")
    tls = ssl.create_default_context(cadata=root.certificate)
    service = identified(address, tls)
    await service.ask("PUT", "/town-shop", {"restype": "container"})
    await service.close()
    yield address, tls
    await server.stop()


def identified(address: BlobAddress, tls: ssl.SSLContext) -> BlobService:
    """Ask as an identity does whose tokens are lent here."""

    async def lend() -> Token:
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/", "oid": "somebody",
            "tid": "tenant", "iat": now, "nbf": now - 10, "exp": now + 3600,
        }  # fmt: skip
        words = ({"alg": "RS256", "typ": "JWT"}, claims, "unread")
        text = ".".join(base64.urlsafe_b64encode(msgspec.json.encode(word)).decode().rstrip("=") for word in words)
        return Token(text, now + 3600.0)

    return BlobService(address, rest=Rest("Azurite", tls=tls), tokens=Bearer(lend))


class TestIdentity(ContentContract, ConditionContract, ListContract, UrlContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def objects(self, secure: tuple[BlobAddress, ssl.SSLContext]) -> AsyncIterator[ObjectStore]:
        objects = await emptied(BlobObjects(secure[0], identified(*secure)))
        yield objects
        await objects.close()

    @pytest.fixture
    def client(self, secure: tuple[BlobAddress, ssl.SSLContext]) -> Client:
        return browser(secure[1])
