"""Routes of old applications are moved without a process: each move is kept, and comparing begins when it can."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal.errors import EngineError
from shoal.local import admin, course, strangling
from shoal.local.course import Course
from shoal.local.site import Site
from shoal.local.strangling import Strangling, turns_file
from shoal.model.legacy import Legacy, LegacyRoute
from shoal.model.plan import Plan
from shoal.model.rollout import Split
from shoal.model.target import LOCAL, Target
from tests.local import stand_ins
from tests.local.stand_ins import FakeUnit, hold
from tests.mesh.samples import TINY

ROUTES = (LegacyRoute(name="list", path="/products"), LegacyRoute(name="one", path="/products/{code}"))
LEGACY = (Legacy(name="old", port=9, routes=ROUTES),)
SYSTEM = msgspec.structs.replace(TINY, gateway=msgspec.structs.replace(TINY.gateway, legacy=LEGACY))


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Course]:
    async def turned(site: Site, plan: Plan) -> Site:
        await asyncio.sleep(0)
        return replace(site, plan=plan)

    async def counters(*_: object) -> dict[str, int]:
        return {}

    monkeypatch.setattr(course, "turn", turned)
    monkeypatch.setattr(admin, "counters", counters)
    async with stand_ins.site(SYSTEM, tmp_path, LOCAL) as found:
        yield Course(found)


def wish(route: str, state: str, **more: Any) -> dict[str, Any]:
    return {"route": route, "state": state, **more}


async def test_moves_at_the_same_time_are_all_kept(running: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[FakeUnit] = []
    monkeypatch.setattr(strangling, "Unit", stand_ins.units(set(), started))
    routes = Strangling(hold(running))

    def divided(target: Target) -> Target:
        return msgspec.structs.replace(target, splits={"orders": Split(weight=5)})

    await asyncio.gather(
        running.retarget(divided),
        routes.set(wish("list", "shadow")),
        routes.set(wish("one", "shadow")),
    )
    target = running.plan.target
    assert {name: turn.state for name, turn in target.turns.items()} == {"list": "shadow", "one": "shadow"}
    assert target.splits.keys() == {"orders"}
    kept = msgspec.json.decode(turns_file(running.site.layout).read_bytes())
    assert kept.keys() == {"list", "one"}
    assert sum(unit.ready for unit in started) == 1
    await routes.close()


async def test_a_comparison_that_did_not_start_is_tried_again(running: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[FakeUnit] = []
    monkeypatch.setattr(strangling, "Unit", stand_ins.units({1}, started))
    routes = Strangling(hold(running))
    with pytest.raises(EngineError, match="ended before it was ready"):
        await routes.set(wish("list", "shadow"))
    assert not running.plan.target.turns
    assert routes.units == []
    assert (await routes.set(wish("list", "shadow"))).state == "shadow"
    assert [unit.ready for unit in started] == [False, True]
    await routes.close()


async def test_the_others_are_compared_when_one_more_could_not_be(
    running: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[FakeUnit] = []
    monkeypatch.setattr(strangling, "Unit", stand_ins.units({2}, started))
    routes = Strangling(hold(running))
    await routes.set(wish("list", "shadow"))
    with pytest.raises(EngineError, match="ended before it was ready"):
        await routes.set(wish("one", "shadow"))
    assert running.plan.target.turns.keys() == {"list"}
    assert [unit.ready for unit in started] == [False, False, True]
    await routes.close()


async def test_nothing_is_compared_when_the_proxy_does_not_follow(
    running: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*_: object) -> Site:
        raise EngineError("Envoy does not follow")

    monkeypatch.setattr(course, "turn", stuck)
    monkeypatch.setattr(strangling, "Unit", stand_ins.units(set(), []))
    routes = Strangling(hold(running))
    with pytest.raises(EngineError, match="does not follow"):
        await routes.set(wish("list", "shadow"))
    assert routes.units == []
