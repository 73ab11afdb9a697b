"""The provider as an HTTP server."""

import json
import logging
import socket
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl

from shop.sandboxes.payment_provider.api import INTENTS, REFUNDS, Call, Provider, error
from shop.sandboxes.payment_provider.behaviour import Malformed, parse
from shop.sandboxes.payment_provider.ledger import Answer

HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024

_log = logging.getLogger("payment-provider")


class Server(ThreadingHTTPServer):
    """Serves one provider, with one thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, provider: Provider) -> None:
        super().__init__((HOST, port), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = True
    timeout = 120

    @property
    def provider(self) -> Provider:
        return cast("Server", self.server).provider

    def do_GET(self) -> None:
        provider = self.provider
        if self.path == "/health":
            self._say(200, {"status": "ok"})
        elif self.path == "/_sandbox/ledger":
            self._say(200, provider.ledger.snapshot())
        elif self.path == "/_sandbox/behaviour":
            self._say(200, asdict(provider.behaviour))
        elif self.path.partition("?")[0] == INTENTS:
            self._send(provider.list(dict(parse_qsl(self.path.partition("?")[2])), authorized=self._is_authorized()))
        else:
            self._send(_unknown(self.path))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(error(400, type="invalid_request_error", message="the body is too long"))
            return
        body = self.rfile.read(int(length))
        if self.path == "/_sandbox/behaviour":
            self._behave(body)
        elif self.path in (INTENTS, REFUNDS):
            self._serve(body)
        else:
            self._send(_unknown(self.path))

    def _serve(self, body: bytes) -> None:
        call = Call(
            path=self.path,
            key=self.headers.get("Idempotency-Key", ""),
            form=dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)),
            authorized=self._is_authorized(),
        )
        response = self.provider.handle(call)
        said = "lost" if response.lost else f"{response.answer.status}{' replayed' * response.replayed}"
        _log.info("POST %s %s: %s", call.path, call.key, said)
        if response.lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._send(response.answer, {"Idempotent-Replayed": "true"} if response.replayed else {})

    def _is_authorized(self) -> bool:
        return self.headers.get("Authorization", "").startswith("Bearer sk_")

    def _behave(self, body: bytes) -> None:
        try:
            self.provider.behaviour = parse(json.loads(body or b"{}"))
        except (Malformed, json.JSONDecodeError) as problem:
            self._send(error(400, type="invalid_request_error", message=str(problem)))
            return
        _log.info("behaviour: %s", self.provider.behaviour)
        self._say(200, asdict(self.provider.behaviour))

    def _say(self, status: int, document: dict[str, Any]) -> None:
        self._send(Answer(status=status, body=json.dumps(document)))

    def _send(self, answer: Answer, headers: dict[str, str] | None = None) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what matters is logged where it happens."""


def _unknown(path: str) -> Answer:
    return error(404, type="invalid_request_error", message=f"the sandbox does not know {path}")
