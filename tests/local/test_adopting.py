"""A new declaration is followed only where a running Envoy can follow it, and what it refuses is told."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from shoal import model
from shoal.errors import EngineError
from shoal.local import admin, adopt, provision, taking, world
from shoal.local.servers.table import SERVERS
from shoal.local.site import Site
from shoal.mesh.bootstrap import CLUSTERS, LISTENERS
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit, Sharing
from shoal.model.target import LOCAL
from tests.local import stand_ins
from tests.mesh.samples import TINY

LDS, EDGE = "listener_manager.lds.update_", "http.edge.rds.edge.update_"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with stand_ins.site(TINY, tmp_path, LOCAL) as found:
        yield found


def limited(*, shared: Sharing) -> model.Plan:
    products, *rest = TINY.services
    first, *others = products.endpoints
    limit = RateLimit(requests=1, per=60, burst=8, by="everyone", shared=shared)
    first = msgspec.structs.replace(first, edge=Edge(limit=limit))
    products = msgspec.structs.replace(products, endpoints=(first, *others))
    return model.plan(msgspec.structs.replace(TINY, services=(products, *rest)), LOCAL).require()


def test_what_envoy_reads_at_its_start_only_is_not_adopted(site: Site) -> None:
    assert adopt.adoptable(site, site.plan)
    assert adopt.adoptable(site, limited(shared=False))
    assert not adopt.adoptable(site, limited(shared=True))
    assert not adopt.adoptable(site, limited(shared="counted")), "nobody is there to count"


def written(site: Site) -> dict[Path, str]:
    assert site.mesh is not None
    return {path: path.read_text("utf-8") for path in Path(site.mesh.root).rglob("*.json")}


class Ruled:
    """An engine that runs, and keeps by which sites it was ruled."""

    def __init__(self) -> None:
        self.process = object()
        self.sites: list[Site] = []

    def follow(self, recipe: Any) -> None:
        self.sites.append(recipe)


async def test_what_the_broker_refuses_is_turned_back_everywhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    new, before, seen, reloaded = limited(shared=False), written(site), list[bool](), list[Any]()

    async def refuse(*_: object) -> None:
        seen.append(written(site) == before)
        raise EngineError("the stream is too large")

    monkeypatch.setattr(provision, "declare_broker", refuse)
    monkeypatch.setattr(world, "engine_recipe", lambda site, _: site)

    async def renew(site: Site, _unit: object) -> None:
        reloaded.append(site)

    monkeypatch.setitem(SERVERS, "nats", dataclasses.replace(SERVERS["nats"], renew=renew))
    broker, proxy = Ruled(), Ruled()
    with pytest.raises(EngineError, match="too large"):
        await adopt.adopt(new, site, cast("Any", {"nats": broker, "envoy": proxy}), {})
    assert seen == [False], "the proxies had followed"
    assert written(site) == before
    for engine in (broker, proxy):
        assert [ruling.plan for ruling in engine.sites] == [new, site.plan]
    assert [ruling.plan for ruling in reloaded] == [new, site.plan]


class FakeStats:
    """What Envoy counts, look by look; the last look stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: dict[str, int]) -> None:
        self.looks = list(looks)
        monkeypatch.setattr(admin, "counters", self.counters)

    async def counters(self, *_: object) -> dict[str, int]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


async def test_what_envoy_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {f"{LDS}success": 1, f"{LDS}rejected": 0, f"{EDGE}success": 1, f"{EDGE}rejected": 0}
    half = before | {f"{EDGE}success": 2}
    FakeStats(monkeypatch, before, before, half, half | {f"{LDS}rejected": 1})
    found = await taking.before("envoy", Path("admin"), (LISTENERS, "rds/edge.json", "ecds/tokens.json"))
    assert found.changing == ("lds", "rds.edge")
    assert await found.refused() == ("envoy refuses the listeners",)


async def test_what_envoy_takes_is_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"cluster_manager.cds.update_success": 1, f"{EDGE}rejected": 3}
    FakeStats(monkeypatch, before, {"cluster_manager.cds.update_success": 2, f"{EDGE}success": 1, f"{EDGE}rejected": 3})
    found = await taking.before("envoy", Path("admin"), (CLUSTERS, "rds/edge.json"))
    assert await found.refused() == ()


async def test_an_envoy_that_does_not_look_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "WITHIN", 0.05)
    FakeStats(monkeypatch, {})
    found = await taking.before("envoy", Path("admin"), (CLUSTERS,))
    assert await found.refused() == ("envoy does not look at it",)


async def test_an_envoy_that_is_away_reads_it_at_its_start(tmp_path: Path) -> None:
    found = await taking.before("envoy", tmp_path / "nobody", (CLUSTERS,))
    async with asyncio.timeout(5):
        assert await found.refused() == ()
