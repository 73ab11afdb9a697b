"""What the emulator has not between clients and services, played: the API with its balancer, and Service Connect."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
from aiohttp import web

from shoal.deploy.aws.resources import Door, Route
from shoal.local.ports import free_port
from shoal.testing.http import Client, Response, Sender

_HOPS = frozenset({"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"})
_PLACE = re.compile(r"\{(\w+)\}")
_TAKEN = re.compile(r"\$\{request\.path\.(\w+)\}")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """Serve every path by one function until the block ends; yields the address."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{rest:.*}", handler)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


class Proxy:
    """Carries requests on to services.

    Args:
        places: Service → its address.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Carry a call: ``/SERVICE/path``, where Service Connect would know the callee by its name."""
        _, service, rest = request.raw_path.split("/", 2)
        return await self._carry(request, service, f"/{rest}", dict(request.headers))

    def door(self, one: Door) -> Handler:
        """Do as the API does with its routes and the balancer behind it, by what is written for both."""
        routes = sorted(((_pattern(route), route) for route in one.routes), key=lambda pair: pair[1].key.count("{"))

        async def enter(request: web.Request) -> web.StreamResponse:
            for pattern, route in routes:
                if found := pattern.fullmatch(f"{request.method} {request.rel_url.raw_path}"):
                    path, headers = _changed(route, request, found.groupdict())
                    return await self._carry(request, headers["x-shoal-service"], path, headers)
            return web.json_response({"message": "Not Found"}, status=404)

        return enter

    async def _carry(
        self, request: web.Request, service: str, path: str, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        own = {name: value for name, value in headers.items() if name.lower() not in _HOPS} | {"host": service}
        url = self._places[service] + path
        body = await request.read()
        async with self._session.request(
            request.method, url, headers=own, data=body or None, allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOPS}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())


def _pattern(route: Route) -> re.Pattern[str]:
    """Read ``GET /orders/{order_id}``."""
    return re.compile(
        _PLACE.sub(lambda found: f"(?P<{found[1]}>[^/]+)", re.escape(route.key).replace("\\{", "{").replace("\\}", "}"))
    )


def _changed(route: Route, request: web.Request, found: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Change a request as the integration's parameters say."""
    path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
    headers = {name.lower(): value for name, value in request.headers.items()}
    for said, value in route.parameters.items():
        how, _, what = said.partition(":")
        kind, _, name = what.partition(".")
        if what == "path":
            path = _TAKEN.sub(lambda taken: found[taken[1]], value)
        elif kind != "header":
            raise AssertionError(f"{route.key}: {said} is not played")
        elif how == "remove":
            headers.pop(name, None)
        else:
            headers[name] = "127.0.0.1" if value == "$context.identity.sourceIp" else value
    return f"{path}?{query}" if query else path, headers


class Caller(Client):
    """The usual verbs, and any other request."""

    def __init__(self, sender: Sender) -> None:
        super().__init__(sender)
        self.send = sender


@asynccontextmanager
async def client(address: str) -> AsyncIterator[Caller]:
    """Call what listens at an address; without one, what whole addresses say."""
    async with aiohttp.ClientSession() as session:

        async def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
            async with session.request(method, address + target, headers=headers, data=body or None) as answer:
                known = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status, known, await answer.read())

        yield Caller(send)
