"""Wrappers around a store, a broker and a reply that stop at every point; only made when something is armed."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType, TracebackType
from typing import Any, cast

from shoal.drivers.base import Broker, Consumer, Delivery, Message, OutboxLease, Outcome, Session, Store
from shoal.failpoints.armed import hit
from shoal.failpoints.sites import Kind

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PREFIX = "shoal.runtime."


def store_of(store: Store) -> Store:
    """Put points around what a store makes true."""
    return cast("Store", _FailingStore(store))


def broker_of(broker: Broker) -> Broker:
    """Put points around what a broker makes true."""
    return cast("Broker", _FailingBroker(broker))


def replying(send: Send) -> Send:
    """Put points around a reply."""
    name = "application.Application._serve"

    async def reply(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await hit(f"{name}:before-reply")
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            await hit(f"{name}:after-reply")

    return reply


class _Around:
    """Hands everything on that has no points."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _FailingStore(_Around):
    def session(self) -> AbstractAsyncContextManager[Session]:
        return _FailingSession(_caller(), self._inner.session())

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        async with self._inner.outbox() as lease:
            yield cast("OutboxLease", _FailingLease(lease))


class _FailingSession:
    """A transaction with a point on either side of its commit."""

    def __init__(self, name: str, inner: AbstractAsyncContextManager[Session]) -> None:
        self._name, self._inner = name, inner

    async def __aenter__(self) -> Session:
        return await self._inner.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            return await self._inner.__aexit__(kind, error, trace)
        try:
            await hit(f"{self._name}:before-commit")
        except BaseException as planted:
            await self._inner.__aexit__(type(planted), planted, planted.__traceback__)
            raise
        await self._inner.__aexit__(None, None, None)
        await hit(f"{self._name}:after-commit")
        return None


class _FailingLease(_Around):
    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return _pointed(found, "checkpoint") if name in ("sent", "refuse", "forget") else found


class _FailingBroker(_Around):
    def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Awaitable[Sequence[Outcome]]:
        return _with_points(_caller(), "publish", lambda: self._inner.publish(messages, after=after))

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        found = await self._inner.fetch(consumer, limit, wait)
        return [cast("Delivery", _FailingDelivery(delivery)) for delivery in found]


class _FailingDelivery(_Around):
    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return _pointed(found, "answer") if name in ("ack", "drop") else found


def _pointed(method: Callable[..., Awaitable[Any]], kind: Kind) -> Callable[..., Awaitable[Any]]:
    def call(*args: Any) -> Awaitable[Any]:
        return _with_points(_caller(), kind, lambda: method(*args))

    return call


async def _with_points(name: str, kind: Kind, work: Callable[[], Awaitable[Any]]) -> Any:
    await hit(f"{name}:before-{kind}")
    result = await work()
    await hit(f"{name}:after-{kind}")
    return result


def _caller() -> str:
    """Name the function of the runtime that asks, past whatever lies between."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the documented way to one's caller
    while frame is not None and not frame.f_globals.get("__name__", "").startswith(_PREFIX):
        frame = frame.f_back
    if frame is None:
        return "unknown"
    return f"{frame.f_globals['__name__'].removeprefix(_PREFIX)}.{frame.f_code.co_qualname}"
