"""What every store of objects does, the reference first."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import pytest

from shoal.drivers.base.objects import ABSENT, ObjectStore
from shoal.errors import Conflict, Unstorable

PNG = "image/png"
REFUSED = range(400, 500)
"""Status of an answer to who has no right to it: engines choose among several."""


class Client(Protocol):
    """Asks a URL as a browser does; returns status, headers in lower case, and body."""

    async def __call__(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]: ...


async def whole(pieces: AsyncIterator[bytes] | None) -> bytes:
    assert pieces is not None
    return b"".join([piece async for piece in pieces])


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


class ContentContract:
    """Bytes under a name."""

    async def test_what_was_put_is_what_is_read(self, objects: ObjectStore) -> None:
        content = bytes(range(256)) * 5
        put = await objects.put("pictures/a", content, PNG)
        assert (put.name, put.size, put.type) == ("pictures/a", 1280, PNG)
        assert put.sha256 == hashlib.sha256(content).hexdigest()
        assert await objects.get("pictures/a") == content
        assert await whole(await objects.read("pictures/a")) == content
        found = await objects.head("pictures/a")
        assert found is not None
        assert (found.size, found.type, found.etag) == (1280, PNG, put.etag)
        assert abs((found.modified - put.modified).total_seconds()) < 60

    async def test_an_empty_object_is_one(self, objects: ObjectStore) -> None:
        await objects.put("empty", b"", "text/plain; charset=utf-8")
        assert await objects.get("empty") == b""
        found = await objects.head("empty")
        assert found is not None
        assert (found.size, found.type) == (0, "text/plain; charset=utf-8")
        assert await whole(await objects.read("empty")) == b""

    async def test_what_is_not_there_is_not_there(self, objects: ObjectStore) -> None:
        assert await objects.get("none") is None
        assert await objects.read("none") is None
        assert await objects.read("none", 3, 3) is None
        assert await objects.head("none") is None
        await objects.delete("none")

    @pytest.mark.parametrize(
        ("start", "stop", "found"),
        [(0, 4, b"0123"), (3, None, b"3456789"), (3, 5, b"34"), (8, 99, b"89"), (10, None, b""), (4, 4, b"")],
    )
    async def test_a_part_is_read(self, objects: ObjectStore, start: int, stop: int | None, found: bytes) -> None:
        await objects.put("digits", b"0123456789", "text/plain")
        assert await whole(await objects.read("digits", start, stop)) == found

    async def test_a_stream_is_written_whole(self, objects: ObjectStore) -> None:
        put = await objects.put("streamed", stream(b"one ", b"", b"two"), "text/plain")
        assert put.size == 7
        assert put.sha256 == hashlib.sha256(b"one two").hexdigest()
        assert await objects.get("streamed") == b"one two"

    async def test_a_large_stream_is_written_whole(self, objects: ObjectStore) -> None:
        block = hashlib.sha256(b"x").digest() * 32768  # 1 MiB
        put = await objects.put("large", stream(*[block] * 17, b"end"), "application/zip")
        assert put.size == 17 * 1024 * 1024 + 3
        assert put.sha256 == hashlib.sha256(block * 17 + b"end").hexdigest()
        assert await whole(await objects.read("large", 17 * 1024 * 1024 - 2)) == block[-2:] + b"end"

    @pytest.mark.parametrize("size", [1, 9])
    async def test_a_stream_that_breaks_writes_nothing(self, objects: ObjectStore, size: int) -> None:
        async def broken() -> AsyncIterator[bytes]:
            for _ in range(size):
                yield b"x" * 1024 * 1024
            raise RuntimeError("the client has gone")

        await objects.put("kept", b"old", "text/plain")
        for name in ("kept", "fresh"):
            with pytest.raises(RuntimeError, match="has gone"):
                await objects.put(name, broken(), PNG)
        assert await objects.get("kept") == b"old"
        assert await objects.head("fresh") is None
        assert [one.name for one in await objects.list()] == ["kept"]

    async def test_a_replaced_object_is_the_new_one(self, objects: ObjectStore) -> None:
        first = await objects.put("note", b"first", "text/plain")
        second = await objects.put("note", b"second", "text/markdown")
        assert first.etag != second.etag
        found = await objects.head("note")
        assert found is not None
        assert (found.type, found.etag) == ("text/markdown", second.etag)

    async def test_who_reads_has_one_content(self, objects: ObjectStore) -> None:
        await objects.put("note", b"a" * 700_000, "text/plain")
        reading = await objects.read("note")
        assert reading is not None
        begun = await anext(reading)
        await objects.put("note", b"b" * 700_000, "text/plain")
        assert begun + b"".join([piece async for piece in reading]) == b"a" * 700_000

    async def test_a_removed_object_is_gone(self, objects: ObjectStore) -> None:
        await objects.put("note", b"x", "text/plain")
        await objects.delete("note")
        assert await objects.head("note") is None
        await objects.put("note", b"again", "text/plain", expect=ABSENT)

    async def test_a_digest_must_be_right(self, objects: ObjectStore) -> None:
        right = hashlib.sha256(b"right").hexdigest()
        await objects.put("sum", b"right", "text/plain", sha256=right)
        for wrong in (b"wrong", stream(b"wro", b"ng")):
            with pytest.raises(Unstorable, match="SHA-256"):
                await objects.put("sum", wrong, "text/plain", sha256=right)
        assert await objects.get("sum") == b"right"

    @pytest.mark.parametrize(
        "name", ["", "/a", "a/", "a//b", "../a", "a/../b", ".lock", "A", "a b", "é", "a\n", "a+b", "x" * 201]
    )
    async def test_a_name_must_fit_everywhere(self, objects: ObjectStore, name: str) -> None:
        with pytest.raises(Unstorable, match="no name"):
            await objects.put(name, b"", "text/plain")
        with pytest.raises(Unstorable):
            await objects.get(name)
        with pytest.raises(Unstorable):
            await objects.link(name, 60)

    @pytest.mark.parametrize("type", ["", "png", "image/png\r\nX: y", "Image/PNG", "a/b/c"])
    async def test_a_type_must_be_one(self, objects: ObjectStore, type: str) -> None:
        with pytest.raises(Unstorable, match="media type"):
            await objects.put("a", b"", type)


class DigestContract:
    """What is known of a content afterwards."""

    async def test_a_digest_is_kept(self, objects: ObjectStore) -> None:
        put = await objects.put("a", b"x" * 1000, PNG)
        found = await objects.head("a")
        assert found is not None
        assert found.sha256 == put.sha256


class ConditionContract:
    """Writes that expect something."""

    async def test_only_a_new_one(self, objects: ObjectStore) -> None:
        await objects.put("once", b"first", "text/plain", expect=ABSENT)
        with pytest.raises(Conflict):
            await objects.put("once", b"second", "text/plain", expect=ABSENT)
        assert await objects.get("once") == b"first"

    async def test_only_what_was_read(self, objects: ObjectStore) -> None:
        first = await objects.put("doc", b"first", "text/plain")
        second = await objects.put("doc", b"second", "text/plain", expect=first.etag)
        with pytest.raises(Conflict):
            await objects.put("doc", b"third", "text/plain", expect=first.etag)
        await objects.put("doc", b"third", "text/plain", expect=second.etag)
        with pytest.raises(Conflict):
            await objects.put("none", b"x", "text/plain", expect=second.etag)
        assert await objects.head("none") is None

    async def test_a_large_one_too(self, objects: ObjectStore) -> None:
        block = b"x" * 1024 * 1024
        await objects.put("large", b"small", "text/plain")
        with pytest.raises(Conflict):
            await objects.put("large", stream(*[block] * 9), "text/plain", expect=ABSENT)
        assert await objects.get("large") == b"small"

    async def test_one_of_eight_is_first(self, objects: ObjectStore) -> None:
        async def write(number: int) -> bool:
            try:
                await objects.put("race", b"%d" % number, "text/plain", expect=ABSENT)
            except Conflict:
                return False
            return True

        won = await asyncio.gather(*(write(number) for number in range(8)))
        assert sum(won) == 1
        assert await objects.get("race") == b"%d" % won.index(True)

    async def test_eight_writers_lose_nothing(self, objects: ObjectStore) -> None:
        await objects.put("count", b"0", "text/plain")

        async def add() -> None:
            while True:
                found = await objects.head("count")
                assert found is not None
                # content and etag are two questions: the expectation is what makes them one
                value = int(await objects.get("count") or b"")
                try:
                    await objects.put("count", b"%d" % (value + 1), "text/plain", expect=found.etag)
                except Conflict:
                    continue
                return

        await asyncio.gather(*(add() for _ in range(8)))
        assert await objects.get("count") == b"8"


class ListContract:
    """Names by prefix, in pages."""

    async def test_names_in_order_by_prefix(self, objects: ObjectStore) -> None:
        for name in ("b/2", "a", "b/10", "c/1"):
            await objects.put(name, name.encode(), "text/plain")
        assert [one.name for one in await objects.list()] == ["a", "b/10", "b/2", "c/1"]
        assert [(one.name, one.size) for one in await objects.list("b/")] == [("b/10", 4), ("b/2", 3)]
        assert [one.name for one in await objects.list("b")] == ["b/10", "b/2"]
        assert await objects.list("d") == []

    async def test_page_by_page(self, objects: ObjectStore) -> None:
        names = [f"page/{number:02}" for number in range(6)] + ["page-1"]
        for name in names:
            await objects.put(name, b"x", "text/plain")
        found: list[str] = []
        while page := await objects.list("page", after=found[-1] if found else "", limit=3):
            assert len(page) <= 3
            found += [one.name for one in page]
        assert sorted(found) == sorted(names)


class UrlContract:
    """URLs that lend one object."""

    async def test_a_url_shows_an_object(self, objects: ObjectStore, client: Client) -> None:
        await objects.put("pictures/a", b"0123456789", PNG)
        url = await objects.link("pictures/a", 60)
        status, headers, body = await client("GET", url)
        assert (status, headers["content-type"], body) == (200, PNG, b"0123456789")
        status, headers, body = await client("GET", url, {"range": "bytes=2-4"})
        assert (status, headers["content-range"], body) == (206, "bytes 2-4/10", b"234")
        status, headers, _ = await client("GET", await objects.link("pictures/a", 60, download="my picture é.png"))
        assert status == 200
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''my%20picture%20%C3%A9.png"

    async def test_a_url_is_for_one_object(self, objects: ObjectStore, client: Client) -> None:
        await objects.put("a", b"a", PNG)
        await objects.put("b", b"b", PNG)
        url = await objects.link("a", 60)
        assert (await client("GET", url.replace("/a?", "/b?")))[0] == 403
        assert (await client("GET", url.partition("?")[0]))[0] in REFUSED
        ticket = await objects.upload("c", 60, type=PNG, size=1)
        assert (await client("PUT", url, ticket.headers, b"x"))[0] == 403
        assert (await client("PUT", ticket.url.replace("/c?", "/d?"), ticket.headers, b"x"))[0] == 403
        assert await objects.get("a") == b"a"
        assert await objects.head("d") is None
        assert (await client("GET", await objects.link("none", 60)))[0] == 404

    async def test_a_url_takes_one_object_once(self, objects: ObjectStore, client: Client) -> None:
        ticket = await objects.upload("new", 60, type=PNG, size=5)
        assert (await client("GET", ticket.url))[0] == 403
        assert (await client("PUT", ticket.url, ticket.headers, b"12345"))[0] in (200, 201)
        found = await objects.head("new")
        assert found is not None
        assert (found.size, found.type) == (5, PNG)
        bold = {name: value for name, value in ticket.headers.items() if name != "if-none-match"}
        for headers in (ticket.headers, bold):
            assert (await client("PUT", ticket.url, headers, b"54321"))[0] in REFUSED
        assert await objects.get("new") == b"12345"

    @pytest.mark.parametrize("seconds", [0, -1, 518_401])
    async def test_a_url_ends(self, objects: ObjectStore, seconds: float) -> None:
        with pytest.raises(Unstorable):
            await objects.link("a", seconds)
        with pytest.raises(Unstorable):
            await objects.upload("a", seconds, type=PNG, size=1)


class MeasuredContract:
    """URLs that take what was agreed, and nothing else."""

    async def test_a_url_takes_what_was_agreed(self, objects: ObjectStore, client: Client) -> None:
        ticket = await objects.upload("new", 60, type=PNG, size=5)
        assert (await client("PUT", ticket.url, ticket.headers, b"123456"))[0] == 403
        html = {**ticket.headers, "content-type": "text/html"}
        assert (await client("PUT", ticket.url, html, b"12345"))[0] == 403
        assert await objects.head("new") is None
