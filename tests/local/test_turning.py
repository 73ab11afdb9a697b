"""How requests flow is changed as a whole or not at all, whatever Envoy does meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
import pytest

from shoal import files, model
from shoal.errors import EngineError, HostError
from shoal.local import admin, proxies, turning
from shoal.local.site import Site
from shoal.model.artifact import Artifact
from shoal.model.rollout import Split
from shoal.model.target import LOCAL
from tests.local import stand_ins
from tests.mesh.samples import TINY


class FakeEnvoy:
    """Takes routes, or does not; may be busy with requests."""

    def __init__(self) -> None:
        self.follows = True
        self.count, self.calls = 0, 0
        self.names: tuple[str, ...] = ()
        self.asked_again = asyncio.Event()
        self.awaited: list[str] = []
        self.drained: list[str] = []

    async def reloads(self, _: Path) -> dict[str, int]:
        self.count += self.follows
        self.calls += 1
        if self.calls > 1:  # the first time is before the routes are written
            self.asked_again.set()
        return dict.fromkeys(self.names, self.count)

    async def known(self, _: Path, clusters: Iterable[str]) -> None:
        self.awaited += clusters

    async def idle(self, _: Path, clusters: Iterable[str]) -> None:
        self.drained += clusters


@pytest.fixture
def envoy(monkeypatch: pytest.MonkeyPatch) -> FakeEnvoy:
    fake = FakeEnvoy()
    for name in ("reloads", "known", "idle"):
        monkeypatch.setattr(admin, name, getattr(fake, name))
    return fake


@pytest.fixture
async def site(tmp_path: Path, envoy: FakeEnvoy) -> AsyncIterator[Site]:
    async with stand_ins.site(TINY, tmp_path, LOCAL) as found:
        envoy.names = tuple(Path(path).stem for path in written(found) if path.startswith("rds/"))
        yield found


def divided(weight: float) -> model.Plan:
    target = msgspec.structs.replace(LOCAL, splits={"orders": Split(weight=weight)})
    return model.plan(TINY, target).require()


def written(site: Site) -> dict[str, str]:
    assert site.mesh is not None
    return read(Path(site.mesh.root))


def roots(site: Site) -> list[Path]:
    assert site.mesh is not None
    return [Path(mesh.root) for mesh in proxies.proxies(site.plan, site.mesh).values()]


def read(root: Path) -> dict[str, str]:
    return {f"{folder}/{p.name}": p.read_text() for folder in ("rds", "lds", "cds") for p in (root / folder).iterdir()}


async def test_what_envoy_does_not_follow_is_taken_back(
    site: Site, envoy: FakeEnvoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(site)
    monkeypatch.setattr(turning, "WITHIN", 0.05)
    envoy.follows = False
    with pytest.raises(EngineError, match="is led as before"):
        await turning.turn(site, divided(30))
    after = written(site)
    clusters = "cds/clusters.json"
    assert {path for path in before if before[path] != after[path]} == {clusters}
    assert "orders@canary" in after[clusters], "requests that were led there already are not cut"
    envoy.follows = True
    monkeypatch.setattr(turning, "WITHIN", 30.0)
    again = await turning.turn(site, site.plan)
    assert written(again) == before
    assert envoy.drained == ["orders@canary"]


async def test_a_change_that_is_cancelled_is_taken_back(site: Site, envoy: FakeEnvoy) -> None:
    before = written(site)
    envoy.follows = False
    turn = asyncio.create_task(turning.turn(site, divided(30)))
    await envoy.asked_again.wait()
    assert any(path.startswith("rds/") for path in before if written(site)[path] != before[path])
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    after = written(site)
    assert {path for path in before if before[path] != after[path]} == {"cds/clusters.json"}


async def test_a_proxy_that_cannot_be_written_keeps_no_other_on_the_new_routes(
    tmp_path: Path, envoy: FakeEnvoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = msgspec.structs.replace(LOCAL, mesh="sidecars")
    async with stand_ins.site(TINY, tmp_path, each) as site:
        assert site.mesh is not None
        before = {root: read(root) for root in roots(site)}
        both = {"products": Split(weight=30), "orders": Split(weight=30)}
        new = model.plan(TINY, msgspec.structs.replace(each, splits=both)).require()
        await proxies.follow(new, site.mesh)
        first, *others = (root for root, was in before.items() if read(root) != was)
        assert others
        write = files.write

        def full(root: Path, artifacts: Iterable[Artifact]) -> tuple[files.Entry, ...]:
            if root == first:
                raise HostError("no space is left")
            return write(root, artifacts)

        monkeypatch.setattr(files, "write", full)
        await turning.back(site)
        assert {root for root, was in before.items() if read(root) != was} == {first}
        assert envoy.drained


async def test_a_change_is_followed(site: Site, envoy: FakeEnvoy) -> None:
    found = await turning.turn(site, divided(30))
    assert found.plan.target.splits["orders"].weight == 30
    assert envoy.awaited == ["orders@canary"]
    again = await turning.turn(found, site.plan)
    assert envoy.drained == ["orders@canary"]
    assert again.plan.target == LOCAL
