"""Show the mails over HTTP: ``GET /`` a page, ``GET /messages`` JSON, ``GET /health``."""

import asyncio
import html
import json
from dataclasses import dataclass

from shoal.local.mailbox.store import Mail, Store

_SECONDS_TO_ASK = 5.0
_OWN_NAMES = ("127.0.0.1", "localhost")
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border: 1px solid #8886; border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0 }
h2 { font-size: 1.1rem; margin: 0 } p { margin: .25rem 0; opacity: .75 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .75rem 0 0; font: inherit }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer."""

    status: int
    type: str
    text: str


class Page:
    """Answers requests about a store, one per connection."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection (callback of `asyncio.start_server`)."""
        try:
            async with asyncio.timeout(_SECONDS_TO_ASK):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(_encode(self.answer(head.decode("latin-1"))))
            await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def answer(self, head: str) -> Response:
        """Answer the head of a request."""
        request, *headers = head.split("\r\n")
        words = request.split(" ")
        if len(words) != 3:  # method, target, version
            return _problem(400)
        if words[0] != "GET":
            return _problem(405)
        if not _asked_by_own_name(headers):
            return _problem(403)
        return self._route(words[1].partition("?")[0])

    def _route(self, path: str) -> Response:
        if path == "/health":
            return _json({"status": "ok"})
        if path == "/messages":
            return _json([mail.as_json() for mail in self._store.mails()])
        if path == "/":
            return Response(status=200, type="text/html", text=render(self._store.mails()))
        return _problem(404)


def render(mails: tuple[Mail, ...]) -> str:
    """Return the page, newest mail first."""
    articles = "\n".join(_article(mail) for mail in reversed(mails)) or "<p>No mail yet.</p>"
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Mailbox</title>'
        f"<style>{_STYLE}</style>\n<h1>Mailbox</h1>\n{articles}\n</html>\n"
    )


def _article(mail: Mail) -> str:
    again = f" · delivered {mail.deliveries} times" if mail.deliveries > 1 else ""
    to = ", ".join(mail.to)
    return (
        f"<article><h2>{html.escape(mail.subject or '(no subject)')}</h2>"
        f"<p>{html.escape(mail.sender)} → {html.escape(to)} · {html.escape(mail.received_at)}{again}</p>"
        f"<pre>{html.escape(mail.body)}</pre></article>"
    )


def _asked_by_own_name(headers: list[str]) -> bool:
    """Refuse foreign host names: a web page elsewhere may have made one of them point to this machine."""
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "host":
            return value.strip().rpartition(":")[0] in _OWN_NAMES or value.strip() in _OWN_NAMES
    return False


def _json(value: object) -> Response:
    return Response(status=200, type="application/json", text=json.dumps(value, ensure_ascii=False))


def _problem(status: int) -> Response:
    return Response(status=status, type="text/plain", text=_REASONS[status] + "\n")


def _encode(response: Response) -> bytes:
    body = response.text.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {response.status} {_REASONS[response.status]}\r\n"
        f"Content-Type: {response.type}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
