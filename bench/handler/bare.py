"""The floor: an ASGI callable that reads the body and sends an answer prepared beforehand: no route, type or token."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


class Bare:
    """Answers everything alike: what Shoal would send, byte for byte, but always under the same trace."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._headers = [
            (b"content-type", b"application/json"),
            (b"x-trace-id", b"0af7651916cd43dd8448eb211c80319c"),
            (b"content-length", b"%d" % len(body)),
        ]

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer, as ASGI 3 asks."""
        assert scope["type"] == "http"
        while (await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})
