"""The server by itself: who comes in, what every answer says, and what bad questions get."""

import asyncio
import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shoal.dashboard.server import exchange, gate
from shoal.dashboard.server.app import Dashboard
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Download, Route
from shoal.dashboard.server.files import Files
from shoal.dashboard.server.hub import Hub
from shoal.dashboard.store.library import Library
from shoal.errors import HostError, Problem
from shoal.runtime.asgi import request

TOKEN = "the-token"
HOST = {"host": "127.0.0.1:4300"}


class Given(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    many: tuple[str, ...] = ()
    least: float = 0.0
    errors: bool = False


async def _echo(_: Desk, given: Given) -> object:
    if given.name == "problem":
        raise Problem(418, "teapot", "short and stout")
    if given.name == "away":
        raise HostError("nothing runs", hint="shoal run")
    if given.name == "bug":
        raise ZeroDivisionError
    if given.name == "file":
        return Download(name="ä b.json", type="application/json", body=b"{}")
    return {"given": given, "filler": "x" * 4000}


TOPIC: tuple[Route[Desk, Any], ...] = (
    Route(method="GET", path="/api/echo/{name}", asked=Given, answer=_echo),
    Route(method="POST", path="/api/echo/{name}", asked=Given, answer=_echo),
)


class Browser:
    """Asks the application as a browser does that came with the link."""

    def __init__(self, root: Path) -> None:
        self._app = Dashboard(Desk(root=root, library=Library(root / "runs")), TOKEN, [TOPIC])
        self.headers = dict(HOST)

    async def ask(
        self, target: str, headers: Mapping[str, str] | None = None, method: str = "GET", body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        status, pairs, text = await request(self._app, method, target, self.headers | dict(headers or {}), body)
        return status, {name.decode(): value.decode() for name, value in pairs}, text

    async def enter(self) -> None:
        status, said, _ = await self.ask(f"/traces?token={TOKEN}&service=orders")
        assert (status, said["location"]) == (303, "/traces?service=orders")
        cookie = said["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        self.headers["cookie"] = cookie.partition(";")[0]


@pytest.fixture
async def browser(tmp_path: Path) -> Browser:
    made = Browser(tmp_path)
    await made.enter()
    return made


@pytest.mark.parametrize("target", ["/", "/traces/1?token=wrong", "/?token="])
async def test_without_the_token_a_page_says_how_to_open_it(tmp_path: Path, target: str) -> None:
    status, said, text = await Browser(tmp_path).ask(target)
    assert status == 401
    assert b"shoal open" in text
    assert "unsafe-inline" not in said["content-security-policy"]


@pytest.mark.parametrize("target", ["/api/echo/a", "/static/0/shell/main.js", f"/api/echo/a?token={TOKEN}"])
async def test_without_the_token_data_and_files_are_refused(tmp_path: Path, target: str) -> None:
    status, said, text = await Browser(tmp_path).ask(target)
    assert (status, said["content-type"]) == (401, "application/problem+json")
    assert json.loads(text)["status"] == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4300", "", "127.0.0.2:4300"])
async def test_another_name_is_refused_even_with_the_cookie(browser: Browser, host: str) -> None:
    assert (await browser.ask("/api/echo/a", {"host": host}))[0] == 421


async def test_a_cookie_of_another_port_opens_nothing(browser: Browser) -> None:
    assert (await browser.ask("/api/echo/a", {"host": "127.0.0.1:4301"}))[0] == 401


async def test_every_answer_keeps_to_our_own_files(browser: Browser) -> None:
    for target in ("/", "/api/echo/a", "/api/nothing", "/static/0/styles/base.css"):
        _, said, text = await browser.ask(target)
        inline = re.findall(rb"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
        hashes = [f" 'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in inline]
        policy = said["content-security-policy"]
        assert all(one in policy for one in hashes)
        assert re.sub(r" 'sha256-[^']+'", "", policy) == gate.POLICY
        assert policy.count("sha256") == len(inline) == (2 if target == "/" else 0)
        assert "unsafe" not in policy
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "no-referrer"


async def test_what_changes_something_needs_the_header_of_our_page(browser: Browser) -> None:
    _, _, page = await browser.ask("/")
    token = page.decode().partition('name="shoal-token" content="')[2].partition('"')[0]
    assert (await browser.ask("/api/echo/a", method="POST", body=b"{}"))[0] == 403
    assert (await browser.ask("/api/echo/a", {"x-shoal-token": TOKEN}, "POST", b"{}"))[0] == 403
    own = {"x-shoal-token": token}
    assert (await browser.ask("/api/echo/a", own | {"sec-fetch-site": "cross-site"}, "POST", b"{}"))[0] == 403
    status, _, text = await browser.ask("/api/echo/a", own, "POST", b'{"least": 2.5}')
    assert (status, json.loads(text)["given"]["least"]) == (200, 2.5)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("least=much", "least"),
        ("other=1", "other"),
        ("errors=perhaps", "errors"),
        ("least=1&least=2", "least"),
        ("run=x", "run"),
    ],
)
async def test_a_bad_question_gets_a_problem_that_names_the_parameter(browser: Browser, query: str, word: str) -> None:
    status, said, text = await browser.ask(f"/api/echo/a?{query}")
    assert (status, said["content-type"]) == (400, "application/problem+json")
    assert word in json.loads(text)["detail"]


@pytest.mark.parametrize(("body", "status"), [(b"[", 400), (b"[]", 400), (b'{"least": "2"}', 422), (b'{"x": 1}', 422)])
async def test_a_bad_body_gets_a_problem(browser: Browser, body: bytes, status: int) -> None:
    _, _, page = await browser.ask("/")
    token = page.decode().partition('name="shoal-token" content="')[2].partition('"')[0]
    assert (await browser.ask("/api/echo/a", {"x-shoal-token": token}, "POST", body))[0] == status


async def test_parameters_are_read_by_their_types(browser: Browser) -> None:
    _, _, text = await browser.ask("/api/echo/a%2Fb?many=x&many=y&least=1.5&errors=1&run=")
    assert json.loads(text)["given"] == {"run": 0, "name": "a/b", "many": ["x", "y"], "least": 1.5, "errors": True}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("problem", 418, "teapot"), ("away", 503, "unavailable"), ("bug", 500, "internal-error")],
)
async def test_errors_become_problem_documents(browser: Browser, name: str, status: int, code: str) -> None:
    answered, _, text = await browser.ask(f"/api/echo/{name}")
    assert answered == status
    assert json.loads(text)["type"].endswith(code)
    assert b"Traceback" not in text


async def test_an_answer_that_is_known_is_not_sent_again(browser: Browser) -> None:
    _, said, _ = await browser.ask("/api/echo/a")
    status, _, text = await browser.ask("/api/echo/a", {"if-none-match": said["etag"]})
    assert (status, text) == (304, b"")


async def test_answers_are_packed_for_who_can_unpack(browser: Browser) -> None:
    _, plain, text = await browser.ask("/api/echo/a")
    _, said, packed = await browser.ask("/api/echo/a", {"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain
    assert said["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == text


async def test_a_file_is_offered_under_its_name(browser: Browser) -> None:
    _, said, _ = await browser.ask("/api/echo/file")
    assert said["content-disposition"] == "attachment; filename*=UTF-8''%C3%A4%20b.json"


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/server/app.py", "/etc/passwd", "shell", "nothing.js"])
async def test_only_files_of_the_folder_are_sent(browser: Browser, name: str) -> None:
    assert (await browser.ask(f"/static/0/{name}"))[0] == 404


async def test_files_of_this_edition_may_be_kept_for_ever(browser: Browser) -> None:
    _, said, _ = await browser.ask(f"/static/{Files().edition()}/styles/base.css")
    assert "immutable" in said["cache-control"]
    _, said, _ = await browser.ask("/static/older/styles/base.css")
    assert said["cache-control"] == "no-cache"


async def test_the_link_keeps_what_else_is_in_the_address(tmp_path: Path) -> None:
    _, said, _ = await Browser(tmp_path).ask(f"//evil.example/logs?service=a&token={TOKEN}&service=b")
    assert said["location"] == "/evil.example/logs?service=a&service=b"


async def test_who_does_not_keep_up_misses_the_oldest_news_and_no_one_waits() -> None:
    hub = Hub()
    slow, quick = hub.listen(), hub.listen()
    await anext(slow)
    await anext(quick)
    for number in range(500):
        hub.tell("tick", number)
        assert f"data: {number}\n".encode() in await anext(quick)
    heard = [await anext(slow) for _ in range(100)]
    assert b"data: 400\n" in heard[0]
    assert b"data: 499\n" in heard[-1]
    for stream in (slow, quick):
        await stream.aclose()  # type: ignore[attr-defined]


async def test_one_look_that_fails_does_not_silence_the_others() -> None:
    hub = Hub()

    async def broken() -> dict[str, object]:
        raise ZeroDivisionError

    async def sound() -> dict[str, object]:
        return {"tick": {}}

    hub.watch(broken)
    hub.watch(sound)
    stream = hub.listen()
    heard = [await anext(stream) for _ in range(3)]
    assert b"event: trouble" in heard[1]
    assert b"event: tick" in heard[2]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_nobody_listening_costs_nothing(tmp_path: Path) -> None:
    hub, looks = Hub(), 0

    async def look() -> dict[str, object]:
        nonlocal looks
        looks += 1
        return {"tick": {"spans": looks}}

    hub.watch(look)
    assert looks == 0
    stream = hub.listen()
    assert b"retry" in await anext(stream)
    assert await anext(stream) == b'event: tick\ndata: {"spans":1}\n\n'
    await stream.aclose()  # type: ignore[attr-defined]
    assert hub.listeners == 0
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.cancelling()] == []


def test_limits_are_part_of_what_can_be_asked() -> None:
    with pytest.raises(Problem, match="limit"):
        exchange.read_query(Paged, b"limit=100000", {})


class Paged(exchange.Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list, as routes ask for one."""


async def test_a_page_asks_at_once_for_every_module_that_it_needs(browser: Browser) -> None:
    _, _, text = await browser.ask("/traces/12?x=1")
    loaded = re.findall(r'modulepreload" href="/static/\w+/([\w./-]+)"', text.decode())
    assert {"shell/main.js", "shell/ui.js", "vendor/preact.js", "pages/traces.js", "pages/traces/tree.js"} <= {*loaded}
    assert "pages/map.js" not in loaded
    _, _, home = await browser.ask("/")
    assert "pages/map.js" in home.decode()
    assert (await browser.ask("/%2e%2e/server"))[0] == 200
