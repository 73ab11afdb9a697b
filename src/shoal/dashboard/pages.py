"""The pages, made while telemetry is taken already: what they read and do takes longer to import than all the rest."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from shoal.dashboard.server.hub import Hub
from shoal.dashboard.store.library import Library
from shoal.local.dashboard import Settings
from shoal.runtime.request import Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Pages:
    """An application whose first request may wait until it is made; see `made`.

    Args:
        settings: Whose project, and what lets people in; without a token there are no pages.
        library: The recorded runs.
        hub: Tells the pages what changes.
    """

    def __init__(self, settings: Settings, library: Library, hub: Hub) -> None:
        self._settings, self._library, self._hub = settings, library, hub
        self._making: asyncio.Task[Application] | None = None

    async def made(self) -> Application:
        """Make the pages, once, and return them."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        await (await self.made())(scope, receive, send)

    def _make(self) -> Application:
        if not self._settings.token:
            return _nothing
        from shoal.dashboard.server.app import Dashboard  # noqa: PLC0415 - half a second, which nobody waits for
        from shoal.dashboard.server.desk import Desk  # noqa: PLC0415

        token = Path(self._settings.token).read_text("utf-8").strip()
        root, system = Path(self._settings.root), self._settings.entry
        return Dashboard(Desk(root=root, library=self._library, hub=self._hub, system=system), token)


async def _nothing(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"there are no pages here\n"})
