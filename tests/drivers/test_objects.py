"""Every store of objects keeps the contract: the reference, and a folder."""

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from shoal.drivers import folder as folders
from shoal.drivers.base.door import Door
from shoal.drivers.base.objects import ABSENT, ObjectStore
from shoal.drivers.base.signing import Refused, Signer
from shoal.drivers.folder.files import Folder
from shoal.drivers.memory import MemoryObjects
from shoal.errors import Conflict, DeclarationError
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
from tests.drivers.hearing import hearing

KILLED = """
import asyncio, os, signal, sys
from shoal.drivers import open_objects
from shoal.drivers.folder import files

async def content():
    yield b"new " * 100_000
    if sys.argv[2] == "within":
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before the name":
    files.Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

async def main():
    objects = open_objects(sys.argv[1])
    await objects.put("note", content(), "text/plain")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def through(door: Door) -> Client:
    """Ask a door within the process."""

    async def ask(
        method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        said = {**(headers or {}), "content-length": str(len(body))}
        found = await door.answer(method, url, said, stream(body[:2], body[2:]))
        return found.status, found.headers, b"".join([piece async for piece in found.body or stream()])

    return ask


class TestMemory(ContentContract, DigestContract, ConditionContract, ListContract, UrlContract, MeasuredContract):
    @pytest.fixture
    def objects(self) -> MemoryObjects:
        return MemoryObjects()

    @pytest.fixture
    def client(self, objects: MemoryObjects) -> Client:
        return through(objects.door)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"folder://:key%2F1@{tmp_path}/a%20folder?at=http://127.0.0.1:1/products"


@pytest.fixture
async def objects(url: str) -> AsyncIterator[ObjectStore]:
    found = folders.objects(url)
    await found.open()
    yield found
    await found.close()


class TestFolder(ContentContract, DigestContract, ConditionContract, ListContract, UrlContract, MeasuredContract):
    @pytest.fixture
    def client(self, url: str) -> Client:
        return through(folders.door(url))


@pytest.mark.parametrize("when", ["within", "before the name", "after"])
async def test_a_killed_writer_leaves_an_object_whole_or_not_at_all(url: str, objects: ObjectStore, when: str) -> None:
    await objects.put("note", b"old", "text/plain")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, url, when], check=False, env={**os.environ}, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert await objects.get("note") == (b"new " * 100_000 if when == "after" else b"old")
    assert [one.name for one in await objects.list()] == ["note"]


async def test_nobody_writes_between_what_a_writer_looks_at_and_what_it_writes(
    objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(folder: Folder, name: str) -> None:
        with (folder.path / ".lock").open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        looked.append(name)

    monkeypatch.setattr(Folder, "head", look)
    await objects.put("note", b"x", "text/plain", expect=ABSENT)
    assert looked == ["note"]
    assert (tmp_path / "a folder" / "note").exists()


async def test_abandoned_drafts_are_removed_and_others_are_not(url: str, objects: ObjectStore, tmp_path: Path) -> None:
    old, young = tmp_path / "a folder" / ".draft-1", tmp_path / "a folder" / ".draft-2"
    for draft in (old, young):
        draft.write_bytes(b"x")
    os.utime(old, (1, 1))
    await folders.objects(url).open()
    assert (old.exists(), young.exists()) == (False, True)
    assert await objects.list() == []


async def test_what_is_done_is_told_and_not_what_it_is_about(objects: ObjectStore) -> None:
    with hearing() as heard:
        await objects.put("note", b"secret", "text/plain")
        await objects.get("note")
        assert (read := await objects.read("note")) is not None
        assert [piece async for piece in read] == [b"secret"]
        await objects.head("note")
        await objects.list()
        with pytest.raises(Conflict):
            await objects.put("note", b"", "text/plain", expect=ABSENT)
        await objects.delete("note")
    verbs = ["put", "get", "read", "head", "list", "!put", "delete"]
    assert heard.all == [f"{'!' * (verb[0] == '!')}folder {verb.strip('!')}" for verb in verbs]


async def test_only_the_user_may_enter_the_folder(objects: ObjectStore, tmp_path: Path) -> None:
    await objects.put("a", b"x", PNG)
    assert stat.S_IMODE((tmp_path / "a folder").stat().st_mode) == 0o700
    assert stat.S_IMODE(Folder(tmp_path / "a folder").file("a").stat().st_mode) == 0o600


async def test_what_somebody_brought_runs_nothing(url: str, objects: ObjectStore) -> None:
    await objects.put("page", b"<script>", "text/html")
    _, headers, _ = await through(folders.door(url))("GET", await objects.link("page", 60))
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


async def test_pages_of_other_origins_may_bring_and_fetch(url: str) -> None:
    status, headers, _ = await through(folders.door(url))("OPTIONS", "/products/a")
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert "content-type" in headers["access-control-allow-headers"]


async def test_a_client_that_goes_away_has_brought_nothing(url: str, objects: ObjectStore) -> None:
    ticket = await objects.upload("new", 60, type=PNG, size=5)
    said = {**ticket.headers, "content-length": "5"}
    answer = await folders.door(url).answer("PUT", ticket.url, said, stream(b"123"))
    assert answer.status == 400
    assert await objects.head("new") is None


@pytest.mark.parametrize(("asked", "status", "body"), [
    ("bytes=-3", 206, b"789"), ("bytes=8-", 206, b"89"), ("bytes=10-", 416, b""), ("bytes=5-2", 200, b"0123456789"),
    ("bytes=0-1,3-4", 200, b"0123456789"), ("lines=1-2", 200, b"0123456789"), ("bytes=-99", 206, b"0123456789"),
])  # fmt: skip
async def test_ranges(url: str, objects: ObjectStore, asked: str, status: int, body: bytes) -> None:
    await objects.put("digits", b"0123456789", "text/plain")
    got, _, found = await through(folders.door(url))("GET", await objects.link("digits", 60), {"range": asked})
    assert (got, found) == (status, body)


def test_a_signed_url_ends_and_is_for_one_thing() -> None:
    now = 1000.0
    signer = Signer("key", "http://h/products", lambda: now)
    url = signer.sign("PUT", "a", 60, type="image/png", size=5)
    assert signer.read("PUT", url).size == 5
    for changed in (
        url.replace("size=5", "size=6"),
        url.replace("image", "text"),
        url.replace("until=1060", "until=9"),
    ):
        with pytest.raises(Refused, match="not signed here"):
            signer.read("PUT", changed)
    with pytest.raises(Refused, match="not signed here"):
        Signer("other", "http://h/products", lambda: now).read("PUT", url)
    with pytest.raises(Refused, match="incomplete"):
        signer.read("PUT", url.replace("size=5", "size=x"))
    now = 1060.0
    with pytest.raises(Refused, match="is over"):
        signer.read("PUT", url)


@pytest.mark.parametrize("url", ["folder:///x", "folder://:key@/?at=http://h/x", "folder://:key@/x"])
def test_an_address_says_it_all(url: str) -> None:
    with pytest.raises(DeclarationError):
        folders.objects(url)
