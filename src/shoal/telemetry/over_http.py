"""OTLP over HTTP (OpenTelemetry protocol specification 1.x, "OTLP/HTTP"): one connection, one request at a time."""

import gzip
import http.client
from urllib.parse import urlsplit

from shoal.telemetry.sender import Outcome, lost, trusting
from shoal.telemetry.settings import TelemetrySettings

AGAIN = (429, 502, 503, 504)
"""Statuses after which the same request is sent again (same, section "Failures")."""


class HttpSender:
    """Sends requests of one signal."""

    def __init__(self, address: str, settings: TelemetrySettings) -> None:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
        self.address = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
        """Without what may be secret in it."""
        self._parts, self._timeout = parts, settings.timeout
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._zips = settings.compression == "gzip"
        self._settings = settings
        self._headers = {**settings.headers, "content-type": "application/x-protobuf"}
        if self._zips:
            self._headers["content-encoding"] = "gzip"
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes) -> Outcome:
        """Send one request and read its answer; raises nothing."""
        content = gzip.compress(body, 1) if self._zips else body
        fresh = self._connection is None
        try:
            return self._send(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if not fresh and not isinstance(error, TimeoutError):  # it may have been closed while nothing was sent
                return self.send(body)
            return lost(error)

    def _send(self, content: bytes) -> Outcome:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._path, body=content, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read(65_536)
        if answer.will_close or not answer.isclosed():
            self.close()
        if 200 <= answer.status < 300:
            return Outcome(taken=True)
        after = answer.getheader("retry-after", "")
        return Outcome(
            taken=False,
            again=answer.status in AGAIN,
            after=min(float(after), 60.0) if after.isdecimal() else 0.0,
            reason=f"it answers {answer.status}",
        )

    def _connect(self) -> http.client.HTTPConnection:
        host = self._parts.hostname or ""
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(
                host, self._parts.port, timeout=self._timeout, context=trusting(self._settings)
            )
        return http.client.HTTPConnection(host, self._parts.port, timeout=self._timeout)

    def close(self) -> None:
        """Close the connection; another request opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
