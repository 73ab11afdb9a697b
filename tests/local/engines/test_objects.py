"""The door to objects in folders: over real connections, what a URL lends, and nothing else."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shoal.drivers import open_objects
from shoal.local.engines import objects, start
from shoal.local.objects.settings import Settings
from shoal.local.ports import free_port
from shoal.local.urls import folder_url

PNG = "image/png"


async def ask(port: int, head: str, body: bytes = b"", *, waits: bool = False) -> tuple[str, bytes]:
    """Send a request as it stands; return the head and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        if waits:
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        answer, _, content = (await asyncio.wait_for(reader.read(), 20)).partition(b"\r\n\r\n")
        return answer.decode(), content
    finally:
        writer.close()


@pytest.mark.live
async def test_the_door_opens_for_what_is_lent(place: Path, output: list[str]) -> None:
    port = free_port()
    address = folder_url(f"{place}/objects/shop", "k/ey", port, "shop")
    options = objects.ObjectsOptions(directory=place / "door", port=port, folders={"shop": address})
    kept = open_objects(address)
    await kept.open()
    content = bytes(range(256)) * 4096
    await kept.put("pictures/a", content, PNG)
    running = await start(objects.recipe(options), on_line=output.append)
    try:
        target = (await kept.link("pictures/a", 60)).removeprefix(f"http://127.0.0.1:{port}")
        head, found = await ask(port, f"GET {target} HTTP/1.1\nHost: x")
        assert head.startswith("HTTP/1.1 200 OK")
        assert f"content-type: {PNG}" in head
        assert found == content
        head, found = await ask(port, f"GET {target} HTTP/1.1\nHost: x\nRange: bytes=256-257")
        assert (head.split("\r\n")[0], found) == ("HTTP/1.1 206 Partial Content", b"\x00\x01")
        head, found = await ask(port, f"HEAD {target} HTTP/1.1\nHost: x")
        assert f"content-length: {len(content)}" in head
        assert found == b""

        ticket = await kept.upload("pictures/b", 60, type=PNG, size=len(content))
        path = urlsplit(ticket.url).path + "?" + urlsplit(ticket.url).query
        line = f"PUT {path} HTTP/1.1\nHost: x\nContent-Type: {PNG}\nContent-Length: {len(content)}"
        wrong = line.replace(PNG, "text/html")
        assert (await ask(port, wrong, content))[0].startswith("HTTP/1.1 403")
        assert (await ask(port, f"{line}\nExpect: 100-continue", content, waits=True))[0].startswith("HTTP/1.1 200")
        assert (await ask(port, line, content))[0].startswith("HTTP/1.1 412")
        assert await kept.get("pictures/b") == content

        for request, status in (
            ("GET / HTTP/1.1", 404), ("GET /other/pictures/a HTTP/1.1", 404), ("GET /shop/pictures/a HTTP/1.1", 403),
            ("nonsense", 400), ("GET shop HTTP/1.1", 400), (f"PUT {path} HTTP/1.1\nTransfer-Encoding: chunked", 400),
            (f"DELETE {target} HTTP/1.1", 405), ("GET /shop HTTP/1.1", 403), ("GET /shop/../../x?a=b HTTP/1.1", 403),
            (f"PUT {path} HTTP/1.1\nContent-Length: ²", 400),
            ("GET /shop/pictures/a?until=9999999999&signature=%C3%A9 HTTP/1.1", 403),
        ):  # fmt: skip
            assert (await ask(port, request))[0].startswith(f"HTTP/1.1 {status}"), request
    finally:
        assert await running.process.stop() == 0


def test_settings_show_no_key() -> None:
    assert "key" not in repr(Settings(port=1, folders={"shop": "folder://:key@/x"}))
