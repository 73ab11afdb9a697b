"""Clouds that are played over HTTP on loopback, each by what its reference documents."""

from aiohttp import web

from shoal.local.ports import LOOPBACK, free_port


class Played:
    """A server; a cloud is one that says what is answered."""

    def __init__(self) -> None:
        self.port, self.requests, self.refusals = free_port(), 0, 0
        self._runner: web.AppRunner | None = None

    @property
    def place(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._all)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port, reuse_address=True).start()

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _all(self, request: web.Request) -> web.Response:
        self.requests += 1
        if not self.lends(request) and self.refusals:
            self.refusals -= 1
            return self.too_much()
        return await self.answer(request)

    def lends(self, request: web.Request) -> bool:
        """Tell whether it is asked for a token."""
        return "token" in request.path

    def too_much(self) -> web.Response:
        """Refuse since it is asked too much."""
        return web.Response(status=429)

    async def answer(self, request: web.Request) -> web.Response:
        raise NotImplementedError
