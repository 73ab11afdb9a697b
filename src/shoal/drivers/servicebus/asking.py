"""Questions and answers over AMQP, as ``$cbs`` and ``$management`` take them (AMQP Management 1.0, working draft)."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from shoal.drivers.servicebus.client import LOST, Client, Got, In, Out, Refused, settle
from shoal.drivers.servicebus.engine import Carried

CREDIT = 100
"""Answers that may be under way."""

_STATUS = ("statusCode", "status-code")
_DESCRIPTION = ("statusDescription", "status-description")
_CONDITION = ("errorCondition", "error-condition")
_BY_STATUS = {401: "amqp:unauthorized-access", 403: "amqp:unauthorized-access", 404: "amqp:not-found"}
_REFUSED = 300
"""From this status on it was."""


class Answer(NamedTuple):
    """What was answered."""

    status: int
    value: Any


class Asking:
    """Two links to a node that answers."""

    def __init__(self, client: Client, node: str) -> None:
        self._client, self._node = client, node
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Carried]] = {}
        self._out: Out | None = None
        self._in: In | None = None

    @property
    def good(self) -> bool:
        """Whether it can be asked."""
        return self._out is not None and self._in is not None and self._out.fault is None and self._in.fault is None

    async def open(self) -> "Asking":
        """Open both links; raises `Refused`."""
        self._in = await self._client.receiver(self._node, self._got)
        self._in.lost = self._lost
        self._in.credit(CREDIT)
        self._out = await self._client.sender(self._node)
        return self

    async def ask(self, properties: Mapping[str, Any], body: Any) -> Answer:
        """Ask, and wait for the answer; raises `Refused`."""
        if self._out is None or self._in is None:
            raise Refused(LOST)
        number = str(next(self._numbers))
        answer: asyncio.Future[Carried] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            asked = Carried(body=body, id=number, reply_to=self._in.name, properties=properties)
            await self._out.send(asked.encode())
            said = (await answer).properties
            found = answer.result()
        finally:
            self._waiting.pop(number, None)
        status = int(_first(said, _STATUS) or 500)
        if status >= _REFUSED:
            condition = _first(said, _CONDITION) or _BY_STATUS.get(status) or f"status:{status}"
            raise Refused(str(condition), str(_first(said, _DESCRIPTION) or ""))
        return Answer(status, found.body)

    def close(self) -> None:
        """Let go of both links."""
        for end in (self._out, self._in):
            if end is not None:
                end.close()

    def _got(self, got: Got) -> None:
        if self._in is not None:
            self._in.accept(got)
            self._in.credit(1)
        waiting = self._waiting.get(got.carried.correlation)
        if waiting is not None and not waiting.done():
            waiting.set_result(got.carried)

    def _lost(self, fault: Refused) -> None:
        for waiting in self._waiting.values():
            settle(waiting, fault)


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((said[name] for name in names if name in said), None)
