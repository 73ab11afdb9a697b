"""What browsers meet at the edge: TLS, other origins, and headers on every answer."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
import pytest
import pytest_asyncio

from shoal.model.cors import Cors
from shoal.model.security import SecurityHeaders
from shoal.model.system import Gateway
from shoal.model.tls import Tls
from tests.mesh.samples import ISSUER, TINY
from tests.mesh.wire import Answer, App, ask
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PAGE = "https://shop.example"

SYSTEM = msgspec.structs.replace(
    TINY,
    gateway=Gateway(
        issuer=ISSUER,
        cors=Cors(origins=(PAGE, "http://localhost:5173"), credentials=True, max_age=60),
        headers=SecurityHeaders(referrer_policy="same-origin"),
        tls=Tls(),
    ),
)


class Stage(NamedTuple):
    world: World
    apps: dict[str, App]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with running(SYSTEM) as world, everyone(world) as apps:
        yield Stage(world, apps)


def preflight(origin: str = PAGE, method: str = "POST") -> dict[str, str]:
    asked = {"access-control-request-method": method, "access-control-request-headers": "authorization"}
    return {"origin": origin, **asked}


async def test_a_preflight_needs_no_token(stage: Stage) -> None:
    answer = await stage.world.edge("OPTIONS /orders", headers=preflight())
    assert answer.status == 200
    allowed = {k.removeprefix("access-control-"): v for k, v in answer.headers.items() if k.startswith("access-")}
    assert allowed == {
        "allow-origin": PAGE,
        "allow-credentials": "true",
        "allow-methods": "DELETE, GET, POST",
        "allow-headers": "Authorization, Content-Type, Idempotency-Key, API-Version, If-None-Match, Last-Event-ID",
        "expose-headers": "Location, ETag, Retry-After, X-Trace-Id",
        "max-age": "60",
    }
    assert not stage.apps["orders"].seen


async def test_other_origins_are_told_nothing(stage: Stage) -> None:
    for origin in ("https://evil.example", "https://shop.example.evil.example", "null"):
        answer = await stage.world.edge("OPTIONS /orders", headers=preflight(origin))
        assert not stage.apps["orders"].seen
        assert "access-control-allow-origin" not in answer.headers
        answer = await stage.world.edge("GET /products", headers={"origin": origin})
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


async def test_answers_are_readable_by_the_page_that_asked(stage: Stage) -> None:
    for line, status in (("GET /products", 200), ("GET /orders/7", 401)):
        answer = await stage.world.edge(line, headers={"origin": PAGE})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, PAGE)
        assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_caches_keep_origins_apart(stage: Stage) -> None:
    assert (await stage.world.edge("GET /products")).headers["vary"] == "origin"


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /products", {}, 200),
        ("GET /orders/7", {}, 401),
        ("GET /nowhere", {}, 404),
        ("PUT /products", {}, 405),
        ("GET /products/x%00", {}, 400),
        ("GET /products", {"x_user": "root"}, 400),
    ],
)
async def test_every_answer_says_how_to_take_it(stage: Stage, line: str, headers: dict[str, str], status: int) -> None:
    answer = await stage.world.edge(line, headers=headers)
    assert answer.status == status
    assert protection(answer) == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-frame-options": "DENY",
        "strict-transport-security": "max-age=300",
    }


def protection(answer: Answer) -> dict[str, str]:
    names = ("x-content-type-options", "referrer-policy", "content-security-policy", "x-frame-options")
    return {name: answer.headers.get(name, "") for name in (*names, "strict-transport-security")}


async def test_plain_text_is_not_answered(stage: Stage) -> None:
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await ask(stage.world.layout.edge(), "GET /products")


async def test_http_2_is_offered(stage: Stage) -> None:
    assert await _shaken(stage.world, "h2", "http/1.1") == "h2"
    assert await _shaken(stage.world, "http/1.1") == "http/1.1"


async def test_old_versions_of_tls_are_refused(stage: Stage) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await _shaken(stage.world, "h2", newest=ssl.TLSVersion.TLSv1_1)
    assert await _shaken(stage.world, "h2", newest=ssl.TLSVersion.TLSv1_2) == "h2"


async def _shaken(world: World, *protocols: str, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> str | None:
    """Shake hands as a client that knows the name does, and return the protocol that was chosen."""
    context = ssl.create_default_context(cadata=world.root.certificate)
    context.set_alpn_protocols(list(protocols))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
    where = world.layout.edge()
    _, writer = await asyncio.open_connection("127.0.0.1", getattr(where, "port", 0), ssl=context)
    try:
        chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        return str(chosen) if chosen else None
    finally:
        writer.transport.abort()
