"""One simulated process: a real `Host` with model engines, that can be killed, frozen and started again."""

import asyncio
from collections.abc import Callable, Mapping

from shoal.errors import CallFailed
from shoal.runtime.asgi import request
from shoal.runtime.host import Host
from shoal.testing.http import Response
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.trace import Trace

Builder = Callable[[Domain], Host]


class Process:
    """One life of a replica."""

    def __init__(self, name: str, build: Builder, trace: Trace) -> None:
        self.name = name
        self.domain = Domain(name)
        self.host = self.domain.run(build, self.domain)
        self.ready = False
        self._trace = trace
        self._asked: set[asyncio.Future[Response]] = set()
        self.starting = self.domain.spawn(self._start())

    async def _start(self) -> None:
        await self.host.start()
        self.ready = True
        self._trace.note("ready")

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Serve a request as this process does; `CallFailed` when it dies over it."""
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        if not self.domain.alive:
            raise CallFailed(self.name, detail="the connection was refused")
        self._asked.add(answered)
        task = self.domain.spawn(self._serve(method, target, headers, body, answered))
        try:
            return await answered
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._asked.discard(answered)

    async def _serve(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, answered: "asyncio.Future[Response]"
    ) -> None:
        status, received, answer = await request(self.host, method, target, headers, body)
        if not answered.done():
            found = {k.decode(): v.decode("latin-1") for k, v in received}
            answered.set_result(Response(status, found, answer))

    def kill(self) -> None:
        """End at once."""
        self.domain.die()
        self.ready = False
        for answered in self._asked:
            if not answered.done():
                answered.set_exception(CallFailed(self.name, detail="the connection broke"))
        self._asked.clear()
