"""Send requests exactly as they are written, over TCP or TLS."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from tests.conformance.edge.runner import Reply, Send

WITHIN = 20.0
"""Seconds after which a gateway has failed to answer."""


def sender(base: str, authority: str = "", names: Sequence[str] = ()) -> Send:
    """Make a sender for the gateway at `base`, such as ``http://127.0.0.1:8000``.

    Args:
        base: URL.
        authority: Certificates (PEM) of who vouches for it; empty takes those of the system.
        names: What it is called, where that is not in the URL. Who says no host means the first; TLS asks for the host
            where the gateway is called so, and for the first elsewhere.
    """
    address = urlsplit(base)
    host, port = address.hostname or "127.0.0.1", address.port or (443 if address.scheme == "https" else 80)
    context = ssl.create_default_context(cadata=authority or None) if address.scheme == "https" else None

    async def send(method: str, target: str, headers: Mapping[str, str], body: bytes, plain: bool) -> Reply:
        async with asyncio.timeout(WITHIN):
            asked = headers.get("host", "").partition(":")[0].lower()
            name = (asked if asked in names else names[0]) if names else None
            tls = None if plain else context
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=name if tls else None)
            try:
                fields = {
                    "host": name or address.netloc,
                    "connection": "close",
                    "content-length": str(len(body)),
                } | dict(headers)
                head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
                return await _reply(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                return Reply(status=0, headers={}, body=b"")
            finally:
                writer.transport.abort()

    return send


async def _reply(reader: asyncio.StreamReader) -> Reply:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    if int(first.split()[1]) in (101, 204, 304):
        body = b""
    elif headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(status=int(first.split()[1]), headers=headers, body=body)
