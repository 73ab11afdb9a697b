"""Calls between simulated processes, and from clients outside: slow, and lost on either way."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from shoal.errors import CallFailed, CallTimedOut
from shoal.runtime.clients import Answer
from shoal.runtime.deadline import EXPECTED, REQUESTED
from shoal.testing.http import Response
from shoal.testing.simulation.faults import Chance


class Callee(Protocol):
    """A replica that can be asked."""

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer, or raise `CallFailed` when it is not there or dies over it."""
        ...


class Network:
    """Knows the replicas of every service."""

    def __init__(self, chance: Chance, replicas: Callable[[str], Sequence[Callee]]) -> None:
        self._chance, self._replicas = chance, replicas

    async def send(
        self, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, within: float
    ) -> Response:
        """Ask one replica; `CallFailed` when no answer comes within `within` seconds."""
        try:
            async with asyncio.timeout(within):
                return await self._send(service, method, target, headers, body)
        except TimeoutError:
            raise CallTimedOut(service, detail="no answer in time") from None

    async def _send(self, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        chance = self._chance
        await asyncio.sleep(chance.latency())
        replicas = self._replicas(service)
        if not replicas or chance.strikes("call.lost"):
            raise CallFailed(service, detail="no replica was reached")
        replica = replicas[chance.below(len(replicas))]
        answer = await replica.ask(method, target, headers, body)
        await asyncio.sleep(chance.latency())
        if chance.strikes("reply.lost"):
            raise CallFailed(service, detail="the connection broke before the answer came")
        return answer


class Line:
    """A `runtime.clients.Transport` of one process."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Send one request."""
        relayed = dict(headers)
        relayed[EXPECTED] = relayed.pop(REQUESTED, "")
        answer = await self._network.send(service, method, path, relayed, body, within=within)
        return Answer(answer.status, answer.body)

    async def close(self) -> None:
        """Let go of nothing."""
