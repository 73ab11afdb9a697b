"""What Azure Blob Storage refuses, played by what its reference documents; and addresses that are none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from aiohttp import web

from shoal.drivers import objects_admin, open_objects
from shoal.drivers.azblob.objects import stored
from shoal.drivers.azblob.who import Identity
from shoal.drivers.base.bearer import Bearer, Token
from shoal.drivers.base.objects import ABSENT, LONGEST, ObjectStore
from shoal.drivers.base.rest import Reply
from shoal.errors import Conflict, DeclarationError, EngineError, Unavailable
from tests.conformance.objects import PNG
from tests.drivers.clouds_played import Played
from tests.drivers.hearing import hearing

KEY = "a2V5"
DELEGATED = (
    "<UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>2026-01-01T00:00:00Z</SignedStart>"
    "<SignedExpiry>2026-01-08T00:00:00Z</SignedExpiry><SignedService>b</SignedService>"
    "<SignedVersion>2023-11-03</SignedVersion><Value>a2V5</Value></UserDelegationKey>"
)


class Azure(Played):
    """Refuses as it is told, once for each word, and is empty otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[tuple[int, str]] = []
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        if self.lends(request):
            return web.json_response({"access_token": "t0", "expires_in": "3600"})
        self.asked.append(f"{request.method} {request.query.get('comp', '')}".strip())
        if self.words:
            status, code = self.words.pop(0)
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.\nRequestId:1</Message></Error>"
            said = "" if request.method == "HEAD" else text
            return web.Response(status=status, text=said, headers={"x-ms-error-code": code})
        if request.query.get("comp") == "userdelegationkey":
            return web.Response(text=DELEGATED)
        head = {"etag": '"0x1"', "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
        return web.Response(status=201 if request.method == "PUT" else 200, headers=head)

    def lends(self, request: web.Request) -> bool:
        return request.path == "/identity"


@pytest_asyncio.fixture(name="azure")
async def _azure() -> AsyncIterator[Azure]:
    azure = Azure()
    await azure.start()
    yield azure
    await azure.stop()


@pytest_asyncio.fixture
async def objects(azure: Azure) -> AsyncIterator[ObjectStore]:
    objects = open_objects(f"azblob://shop:{KEY}@{azure.place}/town-shop?tls=0")
    yield objects
    await objects.close()


async def test_what_is_done_is_told_and_not_what_it_is_about(azure: Azure, objects: ObjectStore) -> None:
    with hearing() as heard:
        await objects.put("canary", b"x", PNG)
        await objects.delete("canary")
        azure.words = [(404, "BlobNotFound")]
        assert await objects.get("canary") is None
    assert heard.all == [f"{act} town-shop" for act in ("azure.blob PUT", "azure.blob DELETE", "!azure.blob GET")]


@pytest.mark.parametrize("status", [429, 503])
async def test_whoever_is_busy_is_asked_again(azure: Azure, objects: ObjectStore, status: int) -> None:
    azure.words = [(status, "ServerBusy")] * 2
    await objects.put("a", b"x", PNG, expect=ABSENT)  # nothing was done, so that a condition still holds
    assert len(azure.asked) == 3


@pytest.mark.parametrize("status", [408, 500, 502])
async def test_who_may_have_done_it_is_asked_once(azure: Azure, objects: ObjectStore, status: int) -> None:
    azure.words = [(status, "OperationTimedOut")]
    with pytest.raises(Unavailable, match=f"refused PUT /town-shop/a: {status} OperationTimedOut No"):
        await objects.put("a", b"x", PNG, expect=ABSENT)
    assert len(azure.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (409, "BlobAlreadyExists", Conflict),
        (412, "ConditionNotMet", Conflict),
        (400, "InvalidBlockList", Conflict),
        (404, "BlobNotFound", Conflict),  # what should have been replaced
        (412, "LeaseIdMissing", EngineError),
        (409, "BlobImmutableDueToPolicy", EngineError),
        (404, "ContainerNotFound", EngineError),
        (403, "AuthorizationPermissionMismatch", EngineError),
        (413, "RequestBodyTooLarge", EngineError),
    ],
)
async def test_what_a_refused_write_means(
    azure: Azure, objects: ObjectStore, status: int, code: str, error: type[EngineError]
) -> None:
    azure.words = [(status, code)]
    with pytest.raises(EngineError) as caught:
        await objects.put("a", b"x", PNG, expect="0x1")
    assert type(caught.value) is error
    assert len(azure.asked) == 1


async def test_what_is_not_there_is_not_there(azure: Azure, objects: ObjectStore) -> None:
    azure.words = [(404, "BlobNotFound")] * 3
    assert (await objects.head("a"), await objects.get("a")) == (None, None)
    await objects.delete("a")
    azure.words = [(404, "ContainerNotFound")] * 2
    for attempt in (objects.head("a"), objects.get("a")):
        with pytest.raises(EngineError, match="refused"):
            await attempt


async def test_a_container_that_is_there_stays(azure: Azure) -> None:
    azure.words = [(409, "ContainerAlreadyExists")]
    await objects_admin(f"azblob://shop:{KEY}@{azure.place}/?tls=0").declare(["town-shop", "town-other"])
    assert azure.asked == ["PUT", "PUT"]


async def test_an_identity_signs_with_a_key_that_it_asks_for_once(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{azure.place}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    objects = open_objects(f"azblob://{azure.place}/town-shop?tls=0")
    urls = await asyncio.gather(*(objects.link(name, LONGEST) for name in "abc"))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(urls[0]).query).items()}
    assert {asked[name] for name in ("skoid", "sktid", "sks", "skv", "sp", "sr")} == {"o", "t", "b", "2023-11-03", "r"}
    assert azure.asked == ["POST userdelegationkey"]
    azure.words = [(401, "InvalidAuthenticationInfo")]
    with pytest.raises(Unavailable, match="401"):
        await objects.head("a")
    await objects.close()


async def test_a_key_that_ends_too_early_is_not_signed_with() -> None:
    asked: list[bytes] = []

    async def ask(body: bytes) -> Reply:
        asked.append(body)
        return Reply(200, DELEGATED.encode())

    async def lend() -> Token:
        raise AssertionError

    identity, now = Identity(Bearer(lend), ask), datetime.now(UTC)
    for days in (6, 1, 6):
        assert (await identity.signing(now + timedelta(days=days))).ends > now + timedelta(days=days)
    assert len(asked) == 1
    await identity.signing(now + timedelta(days=7))  # as tomorrow, for six days
    assert len(asked) == 2


async def test_an_answer_that_is_no_key_is_told(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{azure.place}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    objects = open_objects(f"azblob://{azure.place}/town-shop?tls=0")
    monkeypatch.setattr("tests.drivers.test_blob_refusals.DELEGATED", DELEGATED.replace("a2V5", "no key"))
    with pytest.raises(EngineError, match="no key for lending"):
        await objects.link("a", 60)
    await objects.close()


def test_what_is_still_copied_is_not_there() -> None:
    head = {"content-length": "5", "etag": '"0x1"', "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
    assert stored("a", head) is not None
    assert stored("a", {**head, "x-ms-copy-status": "success"}) is not None
    assert stored("a", {**head, "x-ms-copy-status": "pending"}) is None
    assert stored("a", {**head, "x-ms-copy-status": "failed"}) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("azblob:///town-shop", "names no account"),
        ("azblob://shop@h/town-shop", "names no account"),
        ("azblob://:a2V5@h/town-shop", "names no account"),
        ("azblob://shop.blob.core.windows.net/", "names no container"),
        ("azblob://shop.blob.core.windows.net/a/b", "names no container"),
        ("azblob://shop.blob.core.windows.net/to", "names no container"),
        ("azblob://shop.blob.core.windows.net/town--shop", "names no container"),
        ("azblob://shop.blob.core.windows.net/town-shop?region=eu", "unknown parameter 'region'"),
        ("azblob://shop.blob.core.windows.net/town-shop?tls=0", "in the clear"),
        ("azblob://shop:secret!@shop.blob.core.windows.net/town-shop", "none of an account"),
    ],
)
def test_an_address_names_an_account_and_a_container(url: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as caught:
        open_objects(url)
    assert "secret!" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "begin"),
    [
        ("azblob://shop:a2V5@shop.blob.core.windows.net/town-shop", "https://shop.blob.core.windows.net/town-shop/a?"),
        ("azblob://shop:a2V5@127.0.0.1:1/town-shop?tls=0", "http://127.0.0.1:1/shop/town-shop/a?"),
    ],
)
async def test_urls_lead_to_the_account(url: str, begin: str) -> None:
    objects = open_objects(url)
    for lent in (await objects.link("a", 60), (await objects.upload("a", 60, type=PNG, size=1)).url):
        assert lent.startswith(begin)
        assert ("spr=https" in lent) == begin.startswith("https")
    await objects.close()
