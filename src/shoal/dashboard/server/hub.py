"""Look once a second at what changes, for all who listen, and not at all while nobody does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

INTERVAL, BEAT = 1.0, 15.0
"""Seconds between two looks, and between two signs of life on a silent stream."""

_WAITING = 100

Look = Callable[[], Awaitable[dict[str, object]]]
"""Says what is news by the name of the event; empty where nothing has changed since it was asked last."""


class Hub:
    """Shares what `looks` find among all streams.

    A look is added with `watch`; it runs only while somebody listens.
    """

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._task: asyncio.Task[None] | None = None
        self.rounds = 0
        """How often everything was looked at."""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def watch(self, look: Look) -> None:
        """Ask this once a second from now on."""
        self._looks.append(look)

    def tell(self, event: str, data: object) -> None:
        """Tell everyone who listens."""
        text = b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()  # who does not keep up misses the oldest news; the next tick makes up for it
            queue.put_nowait(text)

    async def listen(self) -> AsyncIterator[bytes]:
        """Yield server-sent events until the reader goes."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._listeners.add(queue)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())
        try:
            yield b"retry: 1000\n: shoal\n\n"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), BEAT)
                except TimeoutError:
                    yield b": alive\n\n"
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _keep_looking(self) -> None:
        while True:
            for look in self._looks:
                try:
                    news = await look()
                except Exception as error:  # noqa: BLE001 - one topic must not silence the others
                    news = {"trouble": {"detail": f"{type(error).__name__}: {error}"}}
                for event, data in news.items():
                    self.tell(event, data)
            self.rounds += 1
            await asyncio.sleep(INTERVAL)
