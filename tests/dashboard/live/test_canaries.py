"""Secrets that pass through the shop are in nothing that is kept of a run, and on no page."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal.dashboard.server.routes import TOPICS
from shoal.testing import LiveSystem
from tests.dashboard.live.acting import Pages

pytestmark = pytest.mark.live

BODY, HEADER, QUERY = "canary-in-a-body-7f3a", "canary-in-a-header-91bd", "canary-in-sql-55aa"
SETTING = "sk_test_sandbox"
"""What payments says to its provider: a setting that is a `Secret`."""
OPERATIONS = ("POST /users", "POST /sessions", "GET /orders", "GET /search", "PUT /web/cart/{sku}")
STREAMS = {"/api/stream"}
"""What never ends; it says which of the others have news."""
KEPT = ("telemetry", "logs", "mesh")
"""Folders that a run leaves behind, beside the secrets themselves and what its engines keep."""


async def _ask_with_secrets(live: LiveSystem) -> set[str]:
    """Send secrets wherever a client may have them, to operations that take them and to such as refuse; return them."""
    person = {"email": "canary@example.com", "password": BODY, "name": "Canary"}
    assert (await live.post("/users", json=person)).status in (201, 409)
    assert (await live.post("/sessions", json=person | {"password": f"{BODY}-wrong"})).status == 401
    signed_in = (await live.post("/sessions", json={"email": person["email"], "password": BODY})).json()
    token = next(value for value in signed_in.values() if str(value).startswith("eyJ"))
    assert (await live.get("/orders", token=token)).status == 200
    assert (await live.get("/orders", headers={"authorization": f"Bearer {HEADER}"})).status == 401
    assert (await live.get("/orders", headers={"x-api-key": HEADER})).status == 401
    assert (await live.get(f"/search?q={QUERY}", headers={"cookie": f"visit={HEADER}"})).status == 200
    await live.request("PUT", "/web/cart/PEN-1", json={"quantity": BODY}, headers={"cookie": f"visit={HEADER}"})
    return {BODY, HEADER, QUERY, token, token.rpartition(".")[2]}


def _of_engines(live: LiveSystem) -> Iterator[str]:
    """List the passwords with which services come to their engines."""
    waiting: list[Any] = [json.loads((live.root / ".shoal" / "secrets" / "passwords.json").read_bytes())]
    for value in waiting:  # grows while it is read
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and len(value) >= 12:
            yield value


async def test_no_secret_is_kept_of_a_run_or_shown(live: LiveSystem) -> None:
    pages = Pages(live)
    secrets = await _ask_with_secrets(live) | set(_of_engines(live)) | {SETTING}
    shown = {route.path: await _shown(pages, route.path) for topic in TOPICS for route in topic if _plain(route)}
    assert len(shown) > 20
    for name in OPERATIONS:
        found = await pages.until("/api/traces?limit=200", partial(_named, name))
        traces = [f"/api/traces/{one['trace_id']}" for one in found]
        shown |= {path: await _shown(pages, path) for path in traces}
    assert {path: s for path, text in shown.items() for s in secrets if s in text} == {}
    kept = {folder: _files(live.root / ".shoal" / folder) for folder in KEPT}
    assert all(kept.values()), "each holds something, or nothing was looked at"
    assert any(b"POST /sessions" in told for told in kept["telemetry"].values())
    files = {place: told for some in kept.values() for place, told in some.items()}
    assert {place: s for place, told in files.items() for s in secrets if s.encode() in told} == {}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder.parent)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _named(name: str, told: Any) -> list[Any]:
    return [trace for trace in told["items"] if name in trace["name"]]


def _plain(route: Any) -> bool:
    """Tell whether it can be asked for without saying more."""
    known = all(not field.required for field in msgspec.structs.fields(route.asked))
    return route.method == "GET" and known and route.path not in STREAMS


async def _shown(pages: Pages, path: str) -> str:
    return json.dumps(await pages.get(path), ensure_ascii=False)
