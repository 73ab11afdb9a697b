"""Replicas of units that are no processes: replaced by one at a time, all of them or none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shoal.errors import EngineError
from shoal.local import reload, replicas
from shoal.local.reload import Sources
from shoal.local.replicas import Replicas
from shoal.local.site import Site
from shoal.model.target import LOCAL
from tests.local import stand_ins
from tests.local.stand_ins import FakeUnit, Listening, surroundings
from tests.local.test_supervisor_parts import SYSTEM


@pytest.fixture
async def found(tmp_path: Path) -> AsyncIterator[Site]:
    target = msgspec.structs.replace(LOCAL, replicas={"alpha": 3})
    async with stand_ins.site(SYSTEM, tmp_path, target) as site:
        yield site


def service(site: Site) -> Replicas:
    assert site.mesh is not None
    return Replicas(site, site.mesh, site.plan.service("alpha"), surroundings(site))


def left(started: list[FakeUnit]) -> int:
    return sum(not unit.stopped for unit in started)


async def test_two_reloads_at_a_time_leave_no_process_behind(found: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[FakeUnit] = []
    monkeypatch.setattr(replicas, "Unit", stand_ins.units(set(), started))
    alpha = service(found)
    await alpha.start(strict=True)
    await asyncio.gather(alpha.reload(), alpha.reload(), alpha.become(found.layout.root))
    assert left(started) == len(alpha.units) == 3
    assert len(started) == 12


async def test_a_promotion_that_fails_half_way_puts_the_former_code_back(
    found: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[FakeUnit] = []
    monkeypatch.setattr(replicas, "Unit", stand_ins.units({6}, started))
    alpha = service(found)
    await alpha.start(strict=True)
    before = alpha.code
    with pytest.raises(EngineError, match=r"alpha-2 ended .*; alpha-0, alpha-1 got the former code back"):
        await alpha.become(tmp_path / "next")
    codes = [(await unit.job.recipe.prepare()).cwd for unit in alpha.units]
    assert codes == [before, before, before]
    assert alpha.code == before
    assert left(started) == 4, "three replicas, and the one that did not start"


async def test_replicas_that_cannot_go_back_are_named(
    found: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "Unit", stand_ins.units({6, 7}, []))
    alpha = service(found)
    await alpha.start(strict=True)
    with pytest.raises(EngineError, match=r"alpha-1 got .* back; alpha-0 could not .* and keep the new code"):
        await alpha.become(tmp_path / "next")


async def test_the_author_hears_when_nobody_looks_at_the_files_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        async def reload(self) -> float:
            raise KeyError("socket")

    async def feed(changes: "asyncio.Queue[set[Path]]", sources: Sources, *_: Path, recursive: bool) -> None:
        if not recursive:
            changes.put_nowait({sources.root / "demo" / "alpha" / "service.py"})

    async def nothing() -> None:
        pass

    folder = tmp_path / "demo" / "alpha"
    folder.mkdir(parents=True)
    (folder / "service.py").write_text("")
    monkeypatch.setattr(reload, "_feed", feed)
    reporter = Listening()
    await reload.watch(Sources(tmp_path, {"alpha": "demo.alpha.service:alpha"}), {"alpha": Broken()}, reporter, nothing)
    assert "not looked at any more (KeyError: 'socket')" in reporter.problems["reload"]
