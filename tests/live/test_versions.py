"""A new version is promoted, and an old application's path is shifted, while requests flow: none is dropped."""

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.testing.live import LiveSystem, start_live
from tests.mesh.wire import asking, eventually_true

pytestmark = pytest.mark.live

OLD = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"by": "old"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
SYSTEM = """
from shoal import Gateway, Legacy, LegacyRoute, System
from versions.app import app

old = Legacy(name="old", module="versions.old", routes=(LegacyRoute(name="who", path="/who"),))
system = System("versions", services=[app], gateway=Gateway(legacy=(old,)))
"""
APP = """
from shoal import Rollout, Service, Traffic, anyone

app = Service("app", traffic=Traffic(rollout=Rollout(errors=0.2, slow=0.9)))


@app.get("/version", access=anyone)
async def version() -> dict[str, str]:
    return {"by": "one"}


@app.get("/who", access=anyone)
async def who() -> dict[str, str]:
    return {"by": "app"}
"""


def write(folder: Path, app: str) -> Path:
    package = folder / "versions"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "old": OLD, "system": SYSTEM, "app": app}.items():
        (package / f"{name}.py").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module", params=["shared", "sidecars"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    root = tmp_path_factory.mktemp("versions")
    started = start_live(
        write(root / "one", APP), "versions.system:system", root / "one", "--mesh", request.param, "--no-telemetry"
    )
    try:
        yield started
    finally:
        started.stop()


async def run(live: LiveSystem, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = await asyncio.to_thread(live.run, *arguments)
    assert done.returncode == 0, done.stderr
    return done


def load(live: LiveSystem, path: str) -> contextlib.AbstractAsyncContextManager[list[str]]:
    """Ask over and over, by several clients; note who answered."""

    async def who() -> str:
        answer = await live.get(path)
        return str(answer.json()["by"]) if answer.status == 200 else f"status {answer.status}"

    return asking(who, clients=3)


async def until(seen: list[str], name: str, count: int) -> None:
    goal = seen.count(name) + count

    async def reached() -> bool:
        return seen.count(name) >= goal

    await eventually_true(reached)


async def aborted(live: LiveSystem) -> bool:
    return '"stage": "aborted"' in (await asyncio.to_thread(live.run, "canary", "status", "--json")).stdout


async def test_a_version_is_promoted_under_load(live: LiveSystem, tmp_path: Path) -> None:
    two = write(tmp_path / "two", APP.replace('"one"', '"two"'))
    async with load(live, "/version") as seen:
        await run(live, "canary", "start", "app", "--code", str(two), "--weight", "50", "--requests", "20")
        await until(seen, "two", 10)
        await until(seen, "one", 10)
        await run(live, "canary", "promote", "app")
        await until(seen, "two", 10)
    assert set(seen) == {"one", "two"}
    assert {(await live.get("/version")).json()["by"] for _ in range(10)} == {"two"}
    assert [p.name for p in live.state.processes if p.service == "app"] == ["app-0"]


async def test_a_bad_version_is_taken_away_by_itself(live: LiveSystem, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad", APP.replace('return {"by": "one"}', 'raise RuntimeError("bad release")'))
    async with load(live, "/version") as seen:
        await run(live, "canary", "start", "app", "--code", str(bad), "--weight", "50", "--requests", "20")
        await eventually_true(lambda: aborted(live))
        failed = seen.count("status 500")
        await until(seen, "two", 20)
    assert seen.count("status 500") == failed > 0


async def test_a_good_version_is_promoted_by_itself(live: LiveSystem, tmp_path: Path) -> None:
    three = write(tmp_path / "three", APP.replace('"one"', '"three"'))

    async def promoted() -> bool:
        return '"stage": "promoted"' in (await asyncio.to_thread(live.run, "canary", "status", "--json")).stdout

    async with load(live, "/version") as seen:
        await run(live, "canary", "start", "app", "--code", str(three), "--weight", "50", "--promote")
        await eventually_true(promoted)
        await until(seen, "three", 10)
    assert set(seen) == {"two", "three"}


async def test_a_version_that_does_not_start_changes_nothing(live: LiveSystem, tmp_path: Path) -> None:
    broken = write(tmp_path / "broken", "import nothing_of_that_name")
    done = await asyncio.to_thread(live.run, "canary", "start", "app", "--code", str(broken))
    assert done.returncode == 3
    assert "nothing_of_that_name" in done.stderr
    assert (await live.get("/version")).status == 200


async def test_an_old_path_is_shifted_under_load(live: LiveSystem) -> None:
    async with load(live, "/who") as seen:
        await until(seen, "old", 5)
        await run(live, "strangle", "set", "who", "shift", "--weight", "50")
        await until(seen, "app", 5)
        await run(live, "strangle", "set", "who", "done")
        await until(seen, "app", 10)
        await run(live, "strangle", "set", "GET /who", "legacy")
        await until(seen, "old", 10)
    assert set(seen) == {"old", "app"}
