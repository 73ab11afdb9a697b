"""Calls where each service has a name of its own, as in a cluster."""

from aiohttp import web

from shoal.local.ports import free_port
from shoal.runtime.deadline import EXPECTED, REQUESTED
from shoal.runtime.mesh import MeshTransport


async def test_each_call_goes_to_the_name_of_its_service_and_says_how_long_it_is_waited_for() -> None:
    seen: list[tuple[str, str, str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        told = request.headers
        seen.append((request.path, told["host"], told.get(EXPECTED, ""), told.get(REQUESTED, "")))
        return web.Response(text="[]")

    application, port = web.Application(), free_port()
    application.router.add_get("/{rest:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    transport = MeshTransport(f"http://127.0.0.1:{port}/of/{{service}}")
    try:
        found = await transport.send("menu", "GET", "/prices", {REQUESTED: "250"}, b"", 5.0)
        assert (found.status, found.body) == (200, b"[]")
        await transport.send("till", "GET", "/today", {}, b"", 5.0)
    finally:
        await transport.close()
        await runner.cleanup()
    assert seen == [("/of/menu/prices", "menu", "250", "250"), ("/of/till/today", "till", "", "")]
