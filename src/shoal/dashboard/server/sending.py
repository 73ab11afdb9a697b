"""Send an answer: the headers of every answer, ETag and 304, gzip; and streams until their reader goes."""

import asyncio
import gzip
import hashlib
from collections.abc import Mapping

from shoal.dashboard.server.exchange import Answer, Stream
from shoal.dashboard.server.gate import HEADERS
from shoal.runtime.request import Receive, Send

_LEAST, _MOST = 1400, 1_000_000
"""Bytes between which JSON is packed: less is one packet anyhow, and more crosses loopback faster than gzip."""


async def send_answer(answer: Answer, headers: Mapping[str, str], send: Send, *, head: bool) -> None:
    """Send an answer whose body is known as a whole."""
    said = HEADERS | {"content-type": answer.type, "vary": "accept-encoding, cookie"} | answer.headers
    status, body = answer.status, answer.body
    if status == 200 and said.get("cache-control") != "no-store":
        said.setdefault("etag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        if said["etag"] in {tag.strip() for tag in headers.get("if-none-match", "").split(",")}:
            status, body = 304, b""
            said.pop("content-type")
    if body and "gzip" in headers.get("accept-encoding", "") and (packed := _pack(answer)):
        body, said["content-encoding"] = packed, "gzip"
    said["content-length"] = str(len(body))
    await send(_start(status, said))
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_stream(stream: Stream, receive: Receive, send: Send) -> None:
    """Send server-sent events until they end or their reader goes."""
    said = HEADERS | {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}
    await send(_start(200, said))
    gone = asyncio.ensure_future(_gone(receive))
    chunks = aiter(stream.chunks)
    try:
        while True:
            chunk = asyncio.ensure_future(anext(chunks, None))
            await asyncio.wait({gone, chunk}, return_when=asyncio.FIRST_COMPLETED)
            if not chunk.done():
                chunk.cancel()
                await asyncio.gather(chunk, return_exceptions=True)
                return
            text = chunk.result()
            if text is None:
                break
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _pack(answer: Answer) -> bytes:
    if answer.packed:
        return answer.packed
    if answer.status == 200 and _LEAST <= len(answer.body) <= _MOST and "json" in answer.type:
        return gzip.compress(answer.body, 1, mtime=0)
    return b""


def _start(status: int, headers: Mapping[str, str]) -> dict[str, object]:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}
