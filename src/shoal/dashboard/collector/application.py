"""OTLP over HTTP as an ASGI application: ``POST /v1/traces``, ``/v1/logs``, ``/v1/metrics``.

Source: specification of OTLP, "OTLP/HTTP". What cannot be kept now is answered with 503, which tells an exporter to
come again; what breaks the protocol with 400, which tells it not to.
"""

import asyncio
import zlib

import msgspec

from shoal.dashboard.collector import otlp
from shoal.dashboard.collector.otlp import LOGS, METRICS, TRACES, Malformed, Signal
from shoal.dashboard.store.writer import Writer
from shoal.runtime.request import Receive, Scope, Send

LARGEST = 16 * 1024 * 1024
"""Bytes of a body, as it came."""

_HEARD = 4 * LARGEST
"""Bytes of a body that is too large, but is read to its end, so that its sender hears why."""

UNFOLDED = 64 * 1024 * 1024
"""Bytes of a body that was compressed."""

PATHS: dict[str, Signal] = {"/v1/traces": TRACES, "/v1/logs": LOGS, "/v1/metrics": METRICS}

_ASIDE = 64 * 1024
"""Bytes from which on a body is read in a thread, so that pages are answered meanwhile."""

_PAGE = frozenset({"origin", "sec-fetch-site"})
"""Headers that browsers add: a page elsewhere whose name was made to point here must not write into the record."""

_JSON, _PROTOBUF = "application/json", "application/x-protobuf"


class Refused(Exception):
    """Telemetry is not taken; `status` is that of HTTP."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Collector:
    """Takes telemetry for a writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.rejected = 0
        """Records that broke the protocol's rules."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == _JSON
        try:
            signal = _signal(scope, kind, from_page=bool(_PAGE & headers.keys()))
            body = await _body(receive)
            if encoding := headers.get("content-encoding", ""):  # even little may become much
                body = await asyncio.to_thread(unfolded, body, encoding)
            status, answer = 200, await self.take(signal, body, is_json=is_json)
        except Malformed as error:
            status, answer = 400, _problem(str(error), is_json=is_json)
        except Refused as error:
            status, answer = error.status, _problem(str(error), is_json=is_json)
        extra = [(b"retry-after", b"1")] if status == 503 else []
        told = (_JSON if is_json else _PROTOBUF).encode()
        head = [(b"content-type", told), (b"content-length", str(len(answer)).encode()), *extra]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    async def take(self, signal: Signal, body: bytes, *, is_json: bool = False) -> bytes:
        """Take one message and return the answer to it.

        Raises:
            Malformed: It is no message of the protocol.
            Refused: Too much waits to be written (503).
        """
        if len(body) > _ASIDE:
            taken = await asyncio.to_thread(otlp.read, signal, body, is_json=is_json)
        else:
            taken = otlp.read(signal, body, is_json=is_json)
        if not self._writer.put(taken.records):
            raise Refused(503, "too much waits to be written")
        self.rejected += taken.rejected
        why = "identifiers or times are malformed" if taken.rejected else ""
        lost = taken.rejected
        if self._writer.failure:  # of what was before; whether it lasts is only known when this is written
            await asyncio.to_thread(self._writer.flush)
        if self._writer.failure:
            why, lost = f"nothing can be written: {self._writer.failure}", taken.rejected + len(taken.records)
        return otlp.written(signal.answer(lost, why), is_json=is_json)


def _signal(scope: Scope, kind: str, *, from_page: bool) -> Signal:
    if from_page:
        raise Refused(403, "a page in a browser may not send telemetry")
    signal = PATHS.get(scope["path"])
    if signal is None:
        raise Refused(404, f"there is nothing at {scope['path']}; telemetry is taken at {', '.join(PATHS)}")
    if scope["method"] != "POST":
        raise Refused(405, "only POST")
    if kind not in (_JSON, _PROTOBUF):  # nor may a page in a browser write here: it could not say these without asking
        raise Refused(415, f"the content is {kind or 'of no type'}; {_PROTOBUF} and {_JSON} are taken")
    return signal


async def _body(receive: Receive) -> bytes:
    found, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the body was cut short")
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST:
            found += part
        elif size > _HEARD:  # who still writes by then does not hear the answer
            break
        if not message.get("more_body", False):
            break
    if size > LARGEST:
        raise Refused(413, f"the body has more than {LARGEST} bytes")
    return bytes(found)


def unfolded(body: bytes, encoding: str) -> bytes:
    """Undo the compression of a body, within bounds.

    Raises:
        Malformed: It is not compressed as it says, or becomes too large.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise Refused(415, f"the encoding is {encoding!r}; gzip and deflate are taken")
    decoder = zlib.decompressobj(wbits=47)  # finds out which of the two headers there is
    try:
        found = decoder.decompress(body, UNFOLDED)
    except zlib.error as error:
        raise Malformed(f"the body is no {encoding}: {error}") from error
    if decoder.unconsumed_tail:
        raise Malformed(f"the body has more than {UNFOLDED} bytes")
    if not decoder.eof:
        raise Malformed("the compressed body was cut short")
    return found


def _problem(why: str, *, is_json: bool) -> bytes:
    """Write a ``google.rpc.Status``, as OTLP wants it: its field 2 is the message."""
    if is_json:
        return msgspec.json.encode({"code": 3, "message": why})
    text = why.encode()[:16_000]
    length = bytearray()
    size = len(text)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\x08\x03\x12" + bytes(length) + text
