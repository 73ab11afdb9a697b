"""Ask an ASGI application within the process, as a server would."""

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from shoal.runtime.request import Application, Scope


async def request(
    application: Application, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send one request and collect its answer: status, headers, body."""
    start: MutableMapping[str, Any] = {}
    chunks: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            chunks.append(message.get("body", b""))

    await application(scope(method, target, headers), receive, send)
    return start["status"], list(start.get("headers", [])), b"".join(chunks)


def scope(method: str, target: str, headers: Mapping[str, str]) -> Scope:
    """Build the scope of a request (ASGI 3, HTTP)."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": None,
        "server": None,
    }
