"""The ASGI application: the gate, then files, pages and JSON."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from shoal.dashboard.server import shell
from shoal.dashboard.server.acting import answered
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Answer, Download, Route, Stream, read_body, read_query
from shoal.dashboard.server.files import Files
from shoal.dashboard.server.gate import Gate, check_host
from shoal.dashboard.server.routes import TOPICS
from shoal.dashboard.server.sending import send_answer, send_stream
from shoal.dashboard.store.reading.database import Unanswerable
from shoal.errors import EngineError, HostError, Problem, ShoalError
from shoal.runtime.problems import CONTENT_TYPE, URN
from shoal.runtime.request import Receive, Scope, Send
from shoal.runtime.request import read_body as body_of
from shoal.runtime.routes import Routes, locate

HOME = "map"
"""The page that is shown where the address names none."""

_FOR_EVER = "private, max-age=31536000, immutable"
_NEVER = "no-store"

_log = logging.getLogger("shoal.dashboard")


class Dashboard:
    """Answers the owner of this machine.

    Args:
        desk: What the routes work on.
        token: What the link carries.
        topics: Routes; the table if not said.
    """

    def __init__(self, desk: Desk, token: str, topics: Iterable[Iterable[Route[Desk, Any]]] = TOPICS) -> None:
        self._desk, self._gate, self._files = desk, Gate(token), Files()
        self._routes = Routes((r.method, r.path, r) for routes in topics for r in routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, HTTP)."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = await self._answer(scope, headers, receive)
        except ShoalError as error:
            answer = _refusal(error)
        except Exception:  # noqa: BLE001 - whoever asked is to hear of it
            _log.exception("%s %s failed", scope["method"], scope["path"])
            answer = _refusal(Problem(500, "internal-error", "the dashboard's log has the traceback: shoal logs"))
        if isinstance(answer, Stream):
            await send_stream(answer, receive, send)
        else:
            await send_answer(answer, headers, send, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer | Stream:
        check_host(headers)
        path, method = str(scope["path"]), str(scope["method"])
        if path == "/health":
            return Answer(body=b'{"status":"alive"}', headers={"cache-control": _NEVER})
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        offered = next((value for name, value in query if name == "token"), None)
        if offered is not None and method == "GET" and not path.startswith("/api/"):
            return self._enter(path, offered, [pair for pair in query if pair[0] != "token"], headers)
        if not self._gate.entered(headers):
            return self._closed(path)
        if path.startswith("/api/"):
            return await self._api(scope, headers, receive)
        if method not in ("GET", "HEAD"):
            raise Problem(405, "method-not-allowed", headers={"Allow": "GET, HEAD"})
        return self._static(path) if path.startswith("/static/") else self._page(path)

    def _enter(self, path: str, offered: str, query: list[tuple[str, str]], headers: Mapping[str, str]) -> Answer:
        """Give the cookie to who has the link, and take the token out of the address."""
        if not self._gate.fits(offered):
            return self._closed(path)
        target = quote("/" + path.lstrip("/")) + (f"?{urlencode(query)}" if query else "")
        said = {"location": target, "set-cookie": self._gate.cookie(headers), "cache-control": _NEVER}
        return Answer(status=303, type="text/plain", headers=said)

    def _closed(self, path: str) -> Answer:
        if path.startswith(("/api/", "/static/")):
            raise Problem(401, "no-token", "open the dashboard with: shoal open")
        return Answer(status=401, type="text/html; charset=utf-8", body=shell.closed(), headers=shell.CLOSED_HEADERS)

    def _page(self, path: str) -> Answer:
        edition = self._files.edition()
        modules = self._files.modules("shell/main.js", f"pages/{path.split('/')[1] or HOME}.js")
        inline = self._files.text("shell/early.js"), self._files.style()
        body = shell.page(edition, self._gate.action, inline, modules)
        said = {"cache-control": _NEVER, "content-security-policy": shell.policy(inline)}
        return Answer(type="text/html; charset=utf-8", body=body, headers=said)

    def _static(self, path: str) -> Answer:
        """Answer ``/static/EDITION/NAME``: what is of this edition never changes."""
        edition, _, name = path.removeprefix("/static/").partition("/")
        file = self._files.find(name)
        if file is None:
            raise Problem(404, "not-found", f"there is no file {name}")
        kept = _FOR_EVER if edition == self._files.edition() else "no-cache"
        said = {"etag": file.etag, "cache-control": kept}
        return Answer(type=file.type, body=file.body, headers=said, packed=file.packed)

    async def _api(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer | Stream:
        route, words = locate(self._routes, scope)
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        values = dict(zip(names, words, strict=True))
        if route.method == "GET":
            asked = read_query(route.asked, scope["query_string"], values)
        else:
            self._gate.check_action(headers)
            asked = read_body(route.asked, await body_of(receive), values)
        return _rendered(await answered(self._desk, route, asked))


def _rendered(result: object) -> Answer | Stream:
    match result:
        case Stream() | Answer():
            return result
        case Download(name=name, type=kind, body=body):
            said = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "cache-control": _NEVER}
            return Answer(type=kind, body=body, headers=said)
        case _:
            return Answer(body=msgspec.json.encode(result), headers={"cache-control": "no-cache"})


def _refusal(error: ShoalError) -> Answer:
    """Write a problem document (RFC 9457); what is wrong with the machine or an engine is 503."""
    if not isinstance(error, Problem):
        said = f"{error.where}: {error.message}" if error.where else error.message
        status, code = _kind(error)
        error = Problem(status, code, said, extra={"hint": error.hint} if error.hint else None)
    document = {
        "type": URN + error.code,
        "title": error.code.replace("-", " ").capitalize(),
        "status": error.status,
        "detail": error.detail,
    }
    return Answer(
        status=error.status,
        type=CONTENT_TYPE.decode(),
        body=msgspec.json.encode(document | error.extra),
        headers={name.lower(): value for name, value in error.headers.items()} | {"cache-control": _NEVER},
    )


def _kind(error: ShoalError) -> tuple[int, str]:
    match error:
        case Unanswerable():
            return 400, "malformed-query"
        case HostError() | EngineError():
            return 503, "unavailable"
        case _:
            return 409, "refused"
