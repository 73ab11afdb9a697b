"""Asks unary calls of gRPC, one at a time over one connection: the client's side of h2.

Source: the gRPC project's "gRPC over HTTP2". A message has five bytes before it: whether it is compressed, and its
length; the status is a trailer, or a header of an answer that has nothing else. Nothing more of gRPC is spoken.
"""

import gzip
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error

LARGEST = 64 * 1024
"""Bytes of an answer that are read; what exporters are told is shorter."""

_PREFIX = struct.Struct("!BI")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a call."""

    http: int
    """Status of HTTP; anything but 200 comes from somebody in between."""
    status: int | None
    """Status of gRPC, 0 is OK; None where none was told."""
    message: str = ""
    details: str = ""
    """The trailer ``grpc-status-details-bin``, in Base64."""


class Channel:
    """One connection to one server. What cannot be sent or read is an `OSError`, and the connection is closed."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._place, self._tls, self._timeout = (host, port), tls, timeout
        self._socket: socket.socket | None = None
        self._http = H2Connection()
        self._scheme = "http" if tls is None else "https"

    @property
    def connected(self) -> bool:
        """Whether there is a connection; whoever is at its other end may have left it."""
        return self._socket is not None

    def call(self, path: str, message: bytes, headers: Mapping[str, str], *, zips: bool = False) -> Answer:
        """Send one message and wait for its answer.

        Args:
            path: Such as ``/package.Service/Method``.
            message: The message, encoded.
            headers: Metadata; names are written small.
            zips: Whether the message is compressed.

        Raises:
            OSError: There is no connection, it ended before the answer, or the answer took too long.
        """
        until = time.monotonic() + self._timeout
        try:
            if self._socket is None:
                self._connect()
            return self._call(path, _framed(message, zips=zips), self._headers(path, headers, zips=zips), until)
        except H2Error as error:
            self.close()
            raise ConnectionError(
                f"it does not speak HTTP/2 as agreed: {str(error) or type(error).__name__}"
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; another call opens one."""
        found, self._socket = self._socket, None
        if found is not None:
            found.close()

    def _connect(self) -> None:
        found = socket.create_connection(self._place, self._timeout)
        try:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                found = _secured(found, self._tls, self._place[0])
        except BaseException:
            found.close()
            raise
        self._socket = found
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._http.initiate_connection()

    def _headers(self, path: str, more: Mapping[str, str], *, zips: bool) -> list[tuple[str, str]]:
        return [
            (":method", "POST"),
            (":scheme", self._scheme),
            (":path", path),
            (":authority", self._authority),
            ("te", "trailers"),
            ("grpc-timeout", f"{max(1, round(self._timeout * 1000))}m"),
            ("content-type", "application/grpc"),
            *([("grpc-encoding", "gzip")] if zips else []),
            *((name.lower(), value) for name, value in more.items()),
        ]

    def _call(self, path: str, body: bytes, headers: list[tuple[str, str]], until: float) -> Answer:
        reading = _Reading(self._http.get_next_available_stream_id())
        self._http.send_headers(reading.stream, headers)
        waiting = memoryview(body)
        while waiting and not reading.over:  # whoever refuses may answer before it has everything
            room = min(self._http.local_flow_control_window(reading.stream), self._http.max_outbound_frame_size)
            if room > 0:
                self._http.send_data(reading.stream, bytes(waiting[:room]), end_stream=room >= len(waiting))
                waiting = waiting[room:]
            self._turn(reading, until, wait=room <= 0)
        while not reading.over:
            self._turn(reading, until, wait=True)
        if waiting:
            self.close()
        return reading.answer(path)

    def _turn(self, reading: "_Reading", until: float, *, wait: bool) -> None:
        """Send what h2 has to say, and where there is reason to wait, read what has come."""
        connection, left = self._socket, until - time.monotonic()
        if connection is None:
            raise ConnectionError("it was closed before there was an answer")
        if left <= 0:
            raise TimeoutError("it says a lot, and does not answer")
        connection.settimeout(left)
        connection.sendall(self._http.data_to_send())
        if not wait:
            return
        data = connection.recv(65_536)
        if not data:
            raise ConnectionError("it closed the connection before it answered")
        for event in self._http.receive_data(data):
            reading.take(event)
            if isinstance(event, DataReceived) and event.flow_controlled_length:
                self._http.acknowledge_received_data(event.flow_controlled_length, reading.stream)
        connection.sendall(self._http.data_to_send())


class _Reading:
    """The answer to one call, as it comes."""

    def __init__(self, stream: int) -> None:
        self.stream, self.over = stream, False
        self._told: dict[str, str] = {}
        self._size = 0

    def take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            if not self.over:
                raise ConnectionError("it ended the connection before it answered")
        elif getattr(event, "stream_id", self.stream) != self.stream:
            return
        elif isinstance(event, ResponseReceived | TrailersReceived):
            self._told |= {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, DataReceived):
            self._size += len(event.data or b"")
            if self._size > LARGEST:
                raise ConnectionError(f"its answer has more than {LARGEST} bytes")
        elif isinstance(event, StreamEnded):
            self.over = True
        elif isinstance(event, StreamReset) and not self.over:
            if "grpc-status" not in self._told:
                raise ConnectionError(f"it broke the call off: {event.error_code}")
            self.over = True

    def answer(self, path: str) -> Answer:
        status, http = self._told.get("grpc-status", ""), self._told.get(":status", "")
        if not http.isdecimal():
            raise ConnectionError(f"it answered {path} without a status")
        return Answer(
            http=int(http),
            status=int(status) if status.isdecimal() else None,
            message=unquote(self._told.get("grpc-message", "")),
            details=self._told.get("grpc-status-details-bin", ""),
        )


def _secured(plain: socket.socket, tls: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    found = tls.wrap_socket(plain, server_hostname=host)
    if found.selected_alpn_protocol() != "h2":
        found.close()
        raise ConnectionError("it does not speak HTTP/2")
    return found


def _framed(message: bytes, *, zips: bool) -> bytes:
    content = gzip.compress(message, 1) if zips else message
    return _PREFIX.pack(zips, len(content)) + content
