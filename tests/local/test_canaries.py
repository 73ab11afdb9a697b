"""Second versions without processes: none is lost to another change, acted on after its end, or left between."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from shoal.errors import DeclarationError, EngineError, HostError
from shoal.local import admin, canary, course, proxies
from shoal.local.canary import Canaries, CanaryState, Start, canary_file, read_states
from shoal.local.course import Course
from shoal.local.site import Site
from shoal.model.plan import Plan
from shoal.model.target import LOCAL, Target
from shoal.model.verdict import Counts
from tests.local import stand_ins
from tests.local.stand_ins import FakeReplicas, hold
from tests.local.test_supervisor_parts import SYSTEM


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Envoy follow at once, with a pause in which others work."""

    async def turned(site: Site, plan: Plan) -> Site:
        await asyncio.sleep(0)
        return replace(site, plan=plan)

    async def answered(*_: object) -> Counts:
        return Counts()

    monkeypatch.setattr(course, "turn", turned)
    monkeypatch.setattr(canary, "Replicas", FakeReplicas)
    monkeypatch.setattr(admin, "answered", answered)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Course]:
    for service in SYSTEM.services:
        module = tmp_path.joinpath(*service.entry.partition(":")[0].split("."))
        module.parent.mkdir(parents=True, exist_ok=True)
        module.with_name(f"{module.name}.py").touch()
    async with stand_ins.site(SYSTEM, tmp_path, LOCAL) as found:
        yield Course(found)


def stable() -> Any:
    return {name: FakeReplicas(*(None,) * 4) for name in ("alpha", "beta")}  # type: ignore[arg-type]


async def test_changes_at_the_same_time_are_all_kept(running: Course, tmp_path: Path) -> None:
    canaries = Canaries(hold(running))

    def zoned(target: Target) -> Target:
        return msgspec.structs.replace(target, zones=("a", "b"))

    await asyncio.gather(
        canaries.start(Start(service="alpha", code=str(tmp_path))),
        canaries.start(Start(service="beta", code=str(tmp_path))),
        running.retarget(zoned),
    )
    assert running.plan.target.splits.keys() == {"alpha", "beta"}
    assert running.plan.target.zones == ("a", "b")
    await asyncio.gather(canaries.abort("alpha"), canaries.weigh("beta", 30))
    assert {name: split.weight for name, split in running.plan.target.splits.items()} == {"beta": 30}
    await canaries.stop()


async def test_a_new_declaration_builds_on_the_change_before(
    running: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def adopted(plan: Plan, old: Site, *_: object) -> Site:
        await asyncio.sleep(0)
        return replace(old, plan=plan)

    monkeypatch.setattr("shoal.local.adopt.adopt", adopted)
    canaries = Canaries(hold(running))
    wish = Start(service="alpha", code=str(tmp_path))
    alpha, beta = SYSTEM.services
    more = msgspec.structs.replace(SYSTEM, services=(alpha, msgspec.structs.replace(beta, calls=())))
    _, followed = await asyncio.gather(canaries.start(wish), running.adopt(more, {}, {}))
    assert followed
    assert running.plan.target.splits.keys() == {"alpha"}
    await canaries.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds it")
@pytest.mark.parametrize("mesh", ["shared", "sidecars"])
async def test_a_version_whose_files_nobody_could_watch_is_refused_before_it_starts(
    running: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mesh: Literal["shared", "sidecars"]
) -> None:
    code = str(running.site.layout.root)
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n", "utf-8")
    monkeypatch.setattr(proxies, "_LIMIT", limit)
    monkeypatch.setattr(proxies, "watching", lambda: 128)
    async with stand_ins.site(SYSTEM, tmp_path / mesh, msgspec.structs.replace(LOCAL, mesh=mesh)) as site:
        course = Course(site)
        canaries = Canaries(hold(course))
        with pytest.raises(HostError, match="canary of alpha would be watched with 1 instance of inotify") as found:
            await canaries.start(Start(service="alpha", code=code))
        assert "sudo sysctl fs.inotify.max_user_instances=1024" in found.value.hint
        assert not course.plan.target.splits
        assert not read_states(site.layout.home)
        monkeypatch.setattr(proxies, "watching", lambda: 127)
        await canaries.start(Start(service="alpha", code=code))
        await canaries.stop()


async def test_without_a_proxy_before_services_nothing_is_divided(running: Course, tmp_path: Path) -> None:
    def off(target: Target) -> Target:
        return msgspec.structs.replace(target, mesh="off")

    await running.retarget(off)
    with pytest.raises(DeclarationError, match="the mesh is off: no proxy stands before alpha"):
        await Canaries(hold(running)).start(Start(service="alpha", code=str(tmp_path)))
    assert not running.plan.target.splits


async def test_what_has_ended_while_one_waited_is_not_acted_on(running: Course, tmp_path: Path) -> None:
    services = stable()
    canaries = Canaries(hold(running, services))
    await canaries.start(Start(service="alpha", code=str(tmp_path)))
    ended, *late = await asyncio.gather(
        canaries.abort("alpha"),
        canaries.promote("alpha"),
        canaries.weigh("alpha", 50),
        canaries.abort("alpha"),
        return_exceptions=True,
    )
    assert isinstance(ended, CanaryState)
    assert all(isinstance(each, DeclarationError) and "has ended meanwhile: aborted" in str(each) for each in late)
    assert not running.plan.target.splits
    assert services["alpha"].became == []
    await canaries.stop()


async def test_a_promotion_that_fails_can_be_tried_again(running: Course, tmp_path: Path) -> None:
    services = stable()
    become = services["alpha"].become

    async def fails(_: Path) -> None:
        raise EngineError("no")

    services["alpha"].become = fails
    canaries = Canaries(hold(running, services))
    await canaries.start(Start(service="alpha", code=str(tmp_path)))
    with pytest.raises(EngineError, match="no"):
        await canaries.promote("alpha")
    assert running.plan.target.splits["alpha"].weight == 100
    services["alpha"].become = become
    assert (await canaries.promote("alpha")).stage == "promoted"
    assert services["alpha"].became == [tmp_path]
    await canaries.stop()


async def test_a_promotion_that_cannot_begin_leaves_the_weight(
    running: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canaries = Canaries(hold(running, stable()))
    await canaries.start(Start(service="alpha", code=str(tmp_path)))

    async def stuck(*_: object) -> Site:
        raise EngineError("Envoy does not follow")

    with monkeypatch.context() as patch:
        patch.setattr(course, "turn", stuck)
        with pytest.raises(EngineError):
            await canaries.promote("alpha")
    await canaries.look()
    (state,) = read_states(running.site.layout.home)
    assert (state.stage, state.weight) == ("running", 10)
    await canaries.stop()


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_zoned_service_has_a_canary_of_any_size(tmp_path: Path, replicas: int) -> None:
    target = msgspec.structs.replace(LOCAL, zones=("a", "b"), replicas={"alpha": 2})
    async with stand_ins.site(SYSTEM, tmp_path, target) as found:
        sized = canary._sized(found.plan, "alpha", replicas)
        assert sized.zones == ("a", "b", "a")[:replicas]


async def test_a_canary_does_not_outlive_its_run_in_the_books(running: Course) -> None:
    home = running.site.layout.home
    known = (
        CanaryState(service="alpha", version="v2", code="x", stage="promoting"),
        CanaryState(service="beta", version="v2", code="x", stage="promoted", reason="asked for"),
    )
    canary_file(home).write_bytes(msgspec.json.encode(known))
    Canaries(hold(running)).open()
    told = {state.service: (state.stage, state.reason) for state in read_states(home)}
    assert told == {"alpha": ("aborted", "the run ended"), "beta": ("promoted", "asked for")}


async def test_a_folder_without_the_module_is_refused(running: Course, tmp_path: Path) -> None:
    canaries = Canaries(hold(running, stable()))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DeclarationError, match="empty has no module") as refused:
        await canaries.start(Start(service="alpha", code=str(tmp_path / "empty"), weight=100))
    assert "--code takes the folder" in refused.value.hint
    with pytest.raises(DeclarationError, match="copies of the requests besides 50 %"):
        await canaries.start(Start(service="alpha", code=str(tmp_path), weight=50, mirror=20))
