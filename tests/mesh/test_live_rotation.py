"""Certificates are replaced while requests flow: connections are made anew all the time, and nobody notices."""

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shoal.local import identities
from shoal.mesh import upstream
from tests.mesh.samples import TINY, planned
from tests.mesh.wire import App, asking, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = pytest.mark.live

ROTATIONS = 5


@pytest.fixture
async def restless(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[World, dict[str, App]]]:
    """Run a mesh whose connections between listeners live for a moment only."""
    monkeypatch.setattr(upstream, "HOP_LIFE", 0.05)
    async with running(TINY) as world, everyone(world) as apps:
        yield world, apps


async def test_rotation_under_load_fails_no_request(restless: tuple[World, dict[str, App]], tmp_path: Path) -> None:
    world, apps = restless

    async def through_the_edge() -> int:
        return (await world.edge("GET /products")).status

    async def between_services() -> int:
        return (await world.out("orders", "POST /prices", to="products")).status

    async with asking(through_the_edge, clients=2) as outside, asking(between_services, clients=1) as inside:
        for number in range(ROTATIONS):
            known = shown(apps["products"])
            issue(world, tmp_path)
            await eventually_true(lambda known=known: fresh(apps["products"], known))  # type: ignore[misc]
            if number == 0:
                world.lines.clear()  # the world began with plain files, which are replaced one by one
    assert (set(outside), set(inside)) == ({200}, {200})
    assert len(shown(apps["products"])) > ROTATIONS
    assert not [line for line in world.lines if "reload" in line], "a key was read beside another's certificate"


def issue(world: World, folder: Path) -> None:
    """Let the supervisor's own code issue new certificates, by the authority that is trusted already."""
    (folder / "authority-key.pem").write_text(world.root.key)
    due = {"system": world.system.name, "holders": [], "authority": time.time() + 10**9, "expires": 0.0}
    (folder / "identities.json").write_text(json.dumps(due))
    assert identities.ensure(folder, planned(world.system), world.layout)


def shown(app: App) -> set[str]:
    """Name the certificates of callers that an application has seen."""
    headers = [request.headers.get("x-forwarded-client-cert", "") for request in app.seen]
    return {found[1] for header in headers if (found := re.search(r"Hash=(\w+)", header))}


async def fresh(app: App, known: set[str]) -> bool:
    """Say whether both the gateway and orders have come with certificates that were not known."""
    new = [
        r.headers["x-forwarded-client-cert"]
        for r in app.seen
        if not known & set(re.findall(r"Hash=(\w+)", r.headers["x-forwarded-client-cert"]))
    ]
    return {header.rpartition("/")[2] for header in new} >= {"gateway", "orders"}
