"""Calls to services that ask who calls, and callers' tokens behind a gateway that says who it is itself."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from aiohttp import ClientError, web

from shoal.drivers.google.caller import HEADER, GoogleCaller
from shoal.errors import CallFailed, EngineError, SettingsError, Unavailable
from shoal.local.ports import free_port
from shoal.runtime.asgi import request
from shoal.runtime.config import ServiceConfig
from shoal.runtime.forwarded import forwarded, unvouched
from shoal.runtime.mesh import MeshTransport, NotReached
from shoal.runtime.process import transport_of
from shoal.runtime.request import Receive, Scope, Send


def signed(audience: str, ends: float) -> str:
    """Make what looks like a token; nobody verifies it here."""
    claims = base64.urlsafe_b64encode(json.dumps({"aud": audience, "exp": ends}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


class Played:
    """The metadata server of an instance, and services that hear what they are told."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[tuple[str, str, str]] = []
        self.heard: list[dict[str, str]] = []
        self.status = 200
        self.text: Callable[[str, float], str] = signed
        self.ends = time.time() + 3600

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def identity(self, asked: web.Request) -> web.Response:
        audience = asked.query["audience"]
        self.asked.append((audience, asked.query["format"], asked.headers["metadata-flavor"]))
        return web.Response(status=self.status, text=self.text(audience, self.ends))

    async def called(self, asked: web.Request) -> web.Response:
        self.heard.append({name.lower(): value for name, value in asked.headers.items()})
        return web.Response(text="[]")


@pytest_asyncio.fixture(name="played")
async def _played() -> AsyncIterator[Played]:
    played, application = Played(), web.Application()
    application.router.add_get("/computeMetadata/v1/instance/service-accounts/default/identity", played.identity)
    application.router.add_get("/{rest:.*}", played.called)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", played.port).start()
    yield played
    await runner.cleanup()


@pytest_asyncio.fixture(name="caller")
async def _caller(played: Played) -> AsyncIterator[GoogleCaller]:
    caller = GoogleCaller({"GCE_METADATA_HOST": played.place})
    yield caller
    await caller.close()


async def test_each_callee_is_shown_a_token_of_its_own_and_the_users_stays(
    played: Played, caller: GoogleCaller
) -> None:
    transport = MeshTransport(f"http://{played.place}/{{service}}", caller)
    try:
        for service in ("menu", "till", "menu"):
            await transport.send(service, "GET", "/x", {"authorization": "Bearer user"}, b"", 5.0)
    finally:
        await transport.close()
    places = [f"http://{played.place}/{service}" for service in ("menu", "till")]
    assert played.asked == [(place, "full", "Google") for place in places]
    menu, till, again = played.heard
    assert menu[HEADER] == f"Bearer {signed(places[0], played.ends)}" == again[HEADER]
    assert till[HEADER] != menu[HEADER]
    assert {heard["authorization"] for heard in played.heard} == {"Bearer user"}


async def test_a_token_that_ends_soon_is_asked_for_anew(played: Played, caller: GoogleCaller) -> None:
    played.ends = time.time() + 100
    await caller.headers("https://menu")
    await caller.headers("https://menu")
    assert len(played.asked) == 2


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [(503, signed, Unavailable), (404, signed, EngineError), (200, lambda *_: "no token", EngineError)],
)
async def test_without_a_token_nothing_is_sent(
    played: Played, caller: GoogleCaller, status: int, text: Callable[[str, float], str], kind: type[Exception]
) -> None:
    played.status, played.text = status, text
    with pytest.raises(kind):
        await caller.headers("https://menu")
    transport = MeshTransport(f"http://{played.place}/{{service}}", caller)
    try:
        with pytest.raises(NotReached, match="who we are"):
            await transport.send("menu", "GET", "/x", {}, b"", 5.0)
    finally:
        await transport.close()
    assert not played.heard


async def test_who_asks_nobody_shows_nothing(played: Played) -> None:
    transport = MeshTransport(f"http://{played.place}/{{service}}")
    try:
        await transport.send("menu", "GET", "/x", {}, b"", 5.0)
    finally:
        await transport.close()
    assert HEADER not in played.heard[0]
    assert played.heard[0]["host"] == "menu"


async def test_over_tls_a_callee_is_known_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, str]]] = []
    transport = MeshTransport("https://{service}-1.region.run.app")

    def request(_: str, url: str, *, headers: dict[str, str], **__: object) -> object:
        sent.append((url, headers))
        raise ClientError("heard enough")

    monkeypatch.setattr(transport._session, "request", request)
    with pytest.raises(CallFailed):
        await transport.send("menu", "GET", "/x", {"accept": "a"}, b"", 5.0)
    await transport.close()
    assert sent == [("https://menu-1.region.run.app/x", {"accept": "a"})]


def test_an_unknown_way_of_saying_who_calls_is_refused() -> None:
    config = ServiceConfig(system="s", entry="a:b", mesh="https://{service}-1.r.run.app", caller="amazon")
    with pytest.raises(SettingsError, match="amazon"):
        transport_of(config)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ({"authorization": "gateway", "x-forwarded-authorization": "user"}, "user"),
        ({"authorization": "gateway"}, None),
        ({"authorization": "user", "x-serverless-authorization": "service"}, "user"),
        ({"x-forwarded-authorization": "user"}, "user"),
        ({}, None),
    ],
)
async def test_behind_a_gateway_the_callers_own_token_counts(sent: dict[str, str], seen: str | None) -> None:
    found: dict[str, str] = {}

    async def application(scope: Scope, _: Receive, send: Send) -> None:
        found.update({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    await request(forwarded(application, "x-forwarded-authorization"), "GET", "/", {**sent, "accept": "x"}, b"")
    assert found.get("authorization") == seen
    assert found["accept"] == "x"
    assert "x-forwarded-authorization" not in found


async def test_without_a_proxy_nobody_says_whose_certificate_was_seen() -> None:
    seen: list[dict[str, str]] = []

    async def application(scope: Scope, _: Receive, send: Send) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    said = {"x-forwarded-client-cert": "URI=spiffe://shop/orders", "authorization": "Bearer user"}
    for asked in (application, unvouched(application)):
        await request(asked, "GET", "/", said, b"")
    assert ["x-forwarded-client-cert" in one for one in seen] == [True, False]
    assert all(one["authorization"] == "Bearer user" for one in seen)
    assert not ServiceConfig.from_environ({"SHOAL_SYSTEM": "s", "SHOAL_ENTRY": "e:e", "SHOAL_VOUCHED": "false"}).vouched
