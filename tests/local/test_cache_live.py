"""A system with a cache on the real engines: who may open it, and what goes on while it is away."""

import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shoal import model
from shoal.cli.program import Global
from shoal.drivers import open_cache
from shoal.errors import EngineError
from shoal.local.environment import service_environment
from shoal.local.layout import layout_of
from shoal.local.ports import free_port
from shoal.local.probe import get, until
from shoal.local.state import ProcessState
from shoal.local.supervisor import Supervisor, running
from shoal.local.world import settle
from shoal.mesh.layout import Tcp
from shoal.model.target import LOCAL, with_options
from shoal.operating.project import read
from tests.mesh.wire import ask

pytestmark = pytest.mark.live
JSON = {"content-type": "application/json"}


@pytest.fixture(name="corner")
async def _corner(place: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    shutil.copy(Path(__file__).parent / "shapes" / "corner.py", place / "corner.py")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "corner", raising=False)
    system = read(Global(root=place, system="corner:system"))
    plan = model.plan(system, with_options(LOCAL, port=free_port(), replicas={"corner": 2})).require()
    async with running(plan, place) as supervisor:
        yield supervisor


def process(supervisor: Supervisor, name: str) -> ProcessState:
    return next(p for p in supervisor.state.processes if p.name == name)


async def test_replicas_share_a_cache_and_do_without_it_while_it_is_away(corner: Supervisor) -> None:
    edge = Tcp(host="127.0.0.1", port=corner.plan.port)
    wrote = await ask(edge, "PUT /notes/a", headers=JSON, body=b'{"text":"tea"}')
    assert wrote.status == 204
    for _ in range(4):
        assert (await ask(edge, "GET /notes/a")).json == {"text": "tea"}
    assert [(await ask(edge, "POST /visits")).json for _ in range(4)] == [1, 2, 3, 4], "over both replicas"

    secrets = settle(corner.plan, layout_of(corner.root), ports={}).world
    environment = service_environment(corner.plan, corner.plan.service("corner"), secrets, os.environ)
    assert "SHOAL_CACHE_URL" not in service_environment(corner.plan, corner.plan.service("plain"), secrets, {})
    stranger = open_cache(environment["SHOAL_CACHE_URL"].replace("/village%3Acorner", "/village%3Aplain"))
    with pytest.raises(EngineError, match="NOPERM"):
        await stranger.get(["a"])
    await stranger.close()

    os.kill(process(corner, "valkey").pid, signal.SIGSTOP)  # a kill would be mended before anybody could look
    try:
        held = await ask(edge, "GET /notes/a")
        assert (held.status, held.json) == (200, None), "reads find nothing"
        assert (await ask(edge, "PUT /notes/b", headers=JSON, body=b'{"text":"milk"}')).status == 204, (
            "writes are dropped"
        )
        assert (await ask(edge, "POST /visits")).status == 503, "what lives nowhere else is refused"
        ready = await get(Path(process(corner, "corner-1").address.removeprefix("unix:")), "/ready")
        assert ready.status == 200
        assert b'"degraded"' in ready.body
        assert b"Valkey at" in ready.body, "and says who is away"
    finally:
        os.kill(process(corner, "valkey").pid, signal.SIGKILL)

    async def back() -> bool | None:
        await ask(edge, "PUT /notes/c", headers=JSON, body=b'{"text":"milk"}')
        return (await ask(edge, "GET /notes/c")).json == {"text": "milk"} or None

    await until(back)
    assert (await ask(edge, "GET /notes/a")).json is None, "what it held is gone"
    assert process(corner, "valkey").restarts == 1
