"""Both sides are asked the same, and what differs only once is no difference."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from shoal.local.parity.record import Example, Record, forget, read
from shoal.local.parity.sides import Copy, differences
from shoal.mesh.strangler import SIDE_HEADER

COPY = Copy(
    route="coupon",
    method="POST",
    target="/coupons/X?a=b",
    headers={"authorization": "Bearer x", "connection": "close", SIDE_HEADER: "forged", "host": "shop.example"},
    body=b"{}",
)


@asynccontextmanager
async def answering(answer: Callable[[str, str], object]) -> AsyncIterator[Path]:
    """Answer each request by its side and its whole head."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        side = head.partition(f"{SIDE_HEADER}: ")[2].partition("\r\n")[0]
        body = json.dumps(answer(side, head)).encode()
        fields = f"content-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{fields}".encode() + body)
        await writer.drain()
        writer.close()

    with tempfile.TemporaryDirectory(prefix="parity") as folder:
        server = await asyncio.start_unix_server(serve, place := Path(folder) / "s")
        async with server:
            yield place


async def test_both_sides_get_the_same_request() -> None:
    heads: dict[str, str] = {}

    def answer(side: str, head: str) -> object:
        heads[side] = head.replace(side, "")
        return {"left": 3}

    async with answering(answer) as place:
        assert await asyncio.to_thread(differences, place, COPY) == ()
    assert set(heads) == {"legacy", "new"}
    assert heads["legacy"] == heads["new"]
    assert "post /coupons/x?a=b" in heads["new"]
    assert "authorization: bearer x" in heads["new"]


async def test_what_differs_only_once_has_changed_in_between() -> None:
    asked: list[str] = []

    def answer(side: str, _: str) -> object:
        asked.append(side)
        return {"left": 2 if len(asked) == 1 else 3}

    async with answering(answer) as place:
        assert await asyncio.to_thread(differences, place, COPY) == ()
    assert asked == ["legacy", "new", "legacy", "new"]


async def test_what_differs_twice_is_a_difference() -> None:
    async with answering(lambda side, _: {"left": side}) as place:
        (found,) = await asyncio.to_thread(differences, place, COPY)
    assert (found.place, found.legacy, found.new) == ("/left", "legacy", "new")


def test_a_record_is_kept_and_can_be_forgotten_by_route(tmp_path: Path) -> None:
    file = tmp_path / "parity.json"
    for _ in range(2):
        record = Record(file)
        record.compared("a", Example(at="now", request="GET /a", differences=()))
        record.compared("b", None)
        record.skipped("a")
        record.unanswered("b")
        record.close()
    assert {name: (one.compared, one.differing, len(one.examples)) for name, one in read(file).items()} == {
        "a": (2, 2, 2),
        "b": (2, 0, 0),
    }
    forget(file, "a")
    assert set(read(file)) == {"b"}
