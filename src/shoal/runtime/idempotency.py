"""`Idempotency-Key`: the same key and request give the same answer, and the effect happens once.

The header follows the IETF draft draft-ietf-httpapi-idempotency-key-header: another request under a used key is
answered 422.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shoal.drivers.base import Receipt
from shoal.errors import Problem
from shoal.runtime.request import Request, Response

HEADER = b"idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")


class Turns:
    """Lets requests of this process under one key go one after the other, holding nothing of the store meanwhile.

    Those of other processes wait in the store, with a connection each: many of them could take all there are.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, key: str) -> AsyncIterator[None]:
        """Wait for one's turn."""
        line = self._lines.setdefault(key, _Line())
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[key]


class _Line:
    """Who waits for one key."""

    __slots__ = ("length", "lock")

    def __init__(self) -> None:
        self.lock, self.length = asyncio.Lock(), 0


def key_of(request: Request, endpoint: str) -> str | None:
    """Return the receipt's key: the caller's key within the endpoint and the principal; None without the header."""
    value = request.headers.get(HEADER)
    if value is None:
        return None
    if not 1 <= len(value) <= 255 or not value.isascii():
        raise Problem(400, "malformed-idempotency-key", "an Idempotency-Key has 1 to 255 ASCII characters")
    subject = request.principal.subject if request.principal else ""
    return f"{endpoint}\n{subject}\n{value.decode()}"


def fingerprint(request: Request, body: bytes) -> str:
    """Digest what makes two requests the same."""
    scope = request.scope
    path, query = request.path.encode(), scope["query_string"]
    head = f"{scope['method']} {len(path)} {len(query)}\n".encode()  # without lengths, parts could trade characters
    return hashlib.blake2b(b"".join((head, path, query, body)), digest_size=32).hexdigest()


def to_receipt(key: str, digest: str, response: Response) -> Receipt:
    """Keep an answer."""
    headers = tuple([(k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers])
    return Receipt(key=key, fingerprint=digest, status=response.status, headers=headers, body=response.body)


def replay(receipt: Receipt, digest: str) -> Response:
    """Give a kept answer again, or raise 422 for another request under its key."""
    if receipt.fingerprint != digest:
        raise Problem(422, "idempotency-key-reused", "this Idempotency-Key was used for another request")
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in receipt.headers]
    return Response(receipt.status, [*headers, REPLAYED], receipt.body)
