"""Requests to a cluster: to one node after the other, until one answers."""

import asyncio
from collections.abc import Collection, Mapping
from urllib.parse import quote, urlencode

import msgspec

from shoal.drivers.base.observing import Asking
from shoal.drivers.base.pauses import reconnecting
from shoal.drivers.base.rest import Reply, Rest
from shoal.drivers.opensearch.address import Address
from shoal.errors import EngineError, Unavailable

TRIES = 4
"""Of one request at most. Whatever we ask for can be asked for twice: writes have versions."""

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer: 201 whole documents at most."""

JSON, LINES = "application/json", "application/x-ndjson"

_BUSY = frozenset({429, 502, 503, 504})
_FORBIDDEN = frozenset({401, 403})


class Fault(msgspec.Struct, frozen=True):
    """What went wrong, as the cluster says it."""

    type: str = ""
    reason: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    error: Fault | str = ""


class Answer(msgspec.Struct, frozen=True):
    """A status, and a body in JSON."""

    status: int
    body: bytes

    @property
    def fault(self) -> Fault:
        """What went wrong."""
        try:
            said = msgspec.json.decode(self.body, type=_Refusal).error
        except msgspec.MsgspecError:
            said = self.body[:200].decode("utf-8", "replace")
        return Fault(reason=said) if isinstance(said, str) else said


class Wire:
    """Speaks to a cluster; connects at the first request."""

    def __init__(self, address: Address) -> None:
        self._address = address
        tls, seconds = address.tls_context(), address.timeout
        self._rest = Rest(address.place, seconds=seconds, tls=tls, largest=LARGEST)
        self._next = 0

    async def close(self) -> None:
        """Close every connection."""
        await self._rest.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        params: Mapping[str, str] | None = None,
        kind: str = JSON,
        accept: Collection[int] = (),
    ) -> Answer:
        """Ask until a node answers with success, or with one of the statuses in `accept`.

        Raises:
            Unavailable: No node answers, or the cluster has too much to do.
            EngineError: It refuses.
        """
        target = quote(path, safe="/*,") + (f"?{urlencode(params)}" if params else "")
        headers = {**self._address.headers, **({"Content-Type": kind} if body else {})}
        problem = ""
        for attempt in range(max(TRIES, len(self._address.servers))):
            if attempt:
                await asyncio.sleep(reconnecting(attempt))
            try:
                reply = await self._send(method, target, headers, body)
            except Unavailable as error:
                if isinstance(error.__cause__, TimeoutError):  # it is at work; another request would be one more for it
                    raise
                problem = error.message
                continue
            answer = Answer(reply.status, reply.body)
            if answer.status < 300 or answer.status in accept:
                return answer
            if answer.status not in _BUSY:
                raise self._refused(method, path, answer)
            problem = f"{answer.status} {answer.fault.type}: {answer.fault.reason}"
        raise Unavailable(f"{self._address.place} failed {method} /{path} {attempt + 1} times: {problem}")

    async def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        servers = self._address.servers
        self._next = (self._next + 1) % len(servers)
        index, _, act = target.partition("?")[0].rpartition("/")
        with Asking("opensearch", act if act.startswith("_") else method, index or act):
            return await self._rest.ask(method, f"{servers[self._next]}/{target}", headers, body)

    def _refused(self, method: str, path: str, answer: Answer) -> EngineError:
        said = f"{answer.status} {answer.fault.type}: {answer.fault.reason}"
        if answer.status in _FORBIDDEN:
            hint = f"let {self._address.user or 'whoever asks'!r} do everything with {self._address.prefix}.*"
            return EngineError(f"{self._address.place} does not allow {method} /{path}: {said}", hint=hint)
        return EngineError(f"{self._address.place} refuses {method} /{path}: {said}")
