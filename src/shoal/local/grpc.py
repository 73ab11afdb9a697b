"""Answers unary calls of gRPC, on a UNIX socket or a port of loopback: the server's side of h2.

Source: the gRPC project's "gRPC over HTTP2". A message has five bytes before it: whether it is compressed, and its
length; a status comes as a trailer. Nothing more of gRPC is spoken.
"""

import asyncio
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

Handler = Callable[[bytes], Awaitable[bytes]]
"""Gives the answer to a message; raise `Failed` to answer with a status."""

Bound = Path | tuple[str, int]
"""Where to listen: a UNIX socket, or host and port."""

LARGEST = 64 * 1024
"""Bytes of a request, unless more are allowed."""

_STREAMS = 4096
_GZIP = 31  # zlib's bits of a window, with the header of gzip
_PREFIX = struct.Struct("!BI")
Code = Literal["invalid", "not-found", "unimplemented", "internal", "unavailable"]
_CODES: dict[Code, str] = {
    "invalid": "3",
    "not-found": "5",
    "unimplemented": "12",
    "internal": "13",
    "unavailable": "14",
}


class Failed(Exception):
    """Answer a call with a status that is not OK."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, kw_only=True)
class _Call:
    path: str
    encoding: str
    body: bytearray


async def serve(place: Bound, methods: dict[str, Handler], *, largest: int = LARGEST) -> asyncio.AbstractServer:
    """Listen; a UNIX socket is one that only this user can connect to.

    Args:
        place: Where.
        methods: By path, such as ``/package.Service/Method``.
        largest: Bytes of a request, compressed or not.

    Raises:
        OSError: Somebody else listens there.
    """
    loop = asyncio.get_running_loop()
    if isinstance(place, Path):
        return await loop.create_unix_server(lambda: _Connection(methods, largest), sock=_bound(place))
    return await loop.create_server(lambda: _Connection(methods, largest), *place)


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # left by one that was killed
    found = socket.socket(socket.AF_UNIX)
    found.bind(str(path))
    path.chmod(0o600)
    return found


class _Connection(asyncio.Protocol):
    def __init__(self, methods: dict[str, Handler], largest: int) -> None:
        self._methods, self._largest = methods, largest
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        # Not as a change: until that is acknowledged, a hundred calls would be too many.
        self._http.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS}
        )
        self._calls: dict[int, _Call] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket is one
        self._transport = transport
        self._http.initiate_connection()
        self._flush()

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        for task in self._tasks.values():
            task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._http.receive_data(data):
                self._take(event)
        except ProtocolError:
            self._flush()
            if self._transport is not None:
                self._transport.close()
            return
        self._flush()

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=list(headers)):
                told = {name: value.decode("latin-1") for name, value in headers}
                encoding = told.get(b"grpc-encoding", "identity")
                self._calls[stream] = _Call(path=told.get(b":path", ""), encoding=encoding, body=bytearray())
            case DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=int(size)):
                self._http.acknowledge_received_data(size, stream)
                self._grow(stream, data)
            case StreamEnded(stream_id=int(stream)) if stream in self._calls:
                task = asyncio.ensure_future(self._answer(stream, self._calls.pop(stream)))
                self._tasks[stream] = task
                task.add_done_callback(lambda _: self._tasks.pop(stream, None))
            case StreamReset(stream_id=int(stream)):
                self._calls.pop(stream, None)
                if (answering := self._tasks.get(stream)) is not None:
                    answering.cancel()
            case ConnectionTerminated() if self._transport is not None:
                self._transport.close()

    def _grow(self, stream: int, data: bytes) -> None:
        call = self._calls.get(stream)
        if call is None:
            return
        call.body += data
        if len(call.body) > self._largest:
            del self._calls[stream]
            self._http.reset_stream(stream, ErrorCodes.ENHANCE_YOUR_CALM)

    async def _answer(self, stream: int, call: _Call) -> None:
        try:
            message = await self._asked(call)
        except Failed as failed:
            self._end(stream, _CODES[failed.code], str(failed))
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody must wait for it
            self._end(stream, _CODES["internal"], f"{type(error).__name__}: {error}")
        else:
            self._end(stream, "0", "", message)

    async def _asked(self, call: _Call) -> bytes:
        handler = self._methods.get(call.path)
        if handler is None:
            raise Failed("unimplemented", f"no method {call.path}")
        if len(call.body) < _PREFIX.size:
            raise Failed("invalid", "the call has no message")
        compressed, length = _PREFIX.unpack_from(call.body)
        if length != len(call.body) - _PREFIX.size:
            raise Failed("invalid", "the message is of another length than it says")
        message = bytes(call.body[_PREFIX.size :])
        return await handler(self._unfolded(message, call.encoding) if compressed else message)

    def _unfolded(self, message: bytes, encoding: str) -> bytes:
        """Undo the compression of a message, within bounds."""
        if encoding == "identity":
            raise Failed("invalid", "the message is compressed, and it is not said how")
        if encoding != "gzip":
            raise Failed("unimplemented", f"messages are compressed with gzip here, not {encoding}")
        decoder = zlib.decompressobj(wbits=_GZIP)
        try:
            found = decoder.decompress(message, self._largest)
        except zlib.error as error:
            raise Failed("invalid", f"the message is no gzip: {error}") from error
        if not decoder.eof:
            raise Failed("invalid", f"the message was cut short, or has more than {self._largest} bytes")
        return found

    def _end(self, stream: int, code: str, said: str, message: bytes | None = None) -> None:
        """Send the whole answer, if anybody still waits for it."""
        told = [(":status", "200"), ("content-type", "application/grpc")]
        status = [("grpc-status", code), *([("grpc-message", _encoded(said))] if said else [])]
        try:
            if message is None:
                self._http.send_headers(stream, told + status, end_stream=True)
            else:
                self._http.send_headers(stream, told)
                self._http.send_data(stream, _PREFIX.pack(0, len(message)) + message)
                self._http.send_headers(stream, status, end_stream=True)
        except ProtocolError:
            return
        self._flush()

    def _flush(self) -> None:
        data = self._http.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)


def _encoded(text: str) -> str:
    """Percent-encode as gRPC wants it of messages."""
    return "".join(c if " " <= c <= "~" and c != "%" else "".join(f"%{b:02X}" for b in c.encode()) for c in text)
