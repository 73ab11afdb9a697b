"""Coupons as they have been served for years: WSGI, a file of coupons, a file of what was redeemed."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

StartResponse = Callable[[str, list[tuple[str, str]]], object]

_COUPON = re.compile(r"/coupons/([A-Z0-9]+)")
_REDEMPTIONS = re.compile(r"/coupons/([A-Z0-9]+)/redemptions")


class Application:
    """The old application.

    Args:
        state: Folder in which it keeps what was redeemed.
    """

    def __init__(self, state: Path) -> None:
        text = resources.files("shop.legacy").joinpath("coupons.json").read_bytes()
        self._coupons = {coupon["code"]: coupon for coupon in json.loads(text)}
        self._redeemed = state / "redeemed.jsonl"
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, content = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        body = json.dumps(content).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, method: str, path: str) -> tuple[str, object]:
        if path == "/health":
            return "200 OK", {"ok": True}
        if method == "GET" and path == "/coupons":
            return "200 OK", sorted(self._coupons)
        if method == "GET" and (found := _COUPON.fullmatch(path)):
            coupon = self._coupons.get(found[1])
            return ("200 OK", coupon) if coupon else _unknown(found[1])
        if method == "POST" and (found := _REDEMPTIONS.fullmatch(path)):
            return self._redeem(found[1])
        return "404 Not Found", {"error": "no such page"}

    def _redeem(self, code: str) -> tuple[str, object]:
        if code not in self._coupons:
            return _unknown(code)
        with self._lock, self._redeemed.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"code": code}) + "\n")
        return "201 Created", {"redeemed": code}


def _unknown(code: str) -> tuple[str, object]:
    return "404 Not Found", {"error": f"no coupon {code}"}
