"""Calls without a proxy: the replicas of a file, in turn, and again when the file is replaced."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shoal import CallFailed
from shoal.mesh.endpoints import endpoints
from shoal.mesh.layout import Pipe
from shoal.runtime import direct
from shoal.runtime.clients import Answer
from shoal.runtime.direct import DirectTransport, replicas
from shoal.runtime.mesh import NotReached
from tests.mesh.wire import App, serving


class World:
    """A folder of replicas, and who calls them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.transport = DirectTransport(str(folder / "eds"))

    def point(self, *names: str, zones: tuple[str, ...] = (), near: str = "") -> None:
        artifact = endpoints("back", [Pipe(path=str(self.folder / name)) for name in names], zones, near=near)
        file = self.folder / artifact.path
        file.parent.mkdir(exist_ok=True)
        beside = file.with_suffix(".tmp")
        beside.write_text(artifact.text, "utf-8")
        beside.rename(file)

    async def ask(self, headers: Mapping[str, str] | None = None) -> None:
        answer = await self.transport.send("back", "GET", "/who", headers or {}, b"", 5.0)
        assert answer.status == 200


@pytest.fixture(name="world")
async def _world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as folder:
        world = World(Path(folder))
        yield world
        await world.transport.close()


async def test_replicas_take_turns_and_one_that_is_gone_is_passed_over(world: World) -> None:
    one, two = App(name="one"), App(name="two")
    async with serving(one, Pipe(path=str(world.folder / "one"))), serving(two, Pipe(path=str(world.folder / "two"))):
        world.point("one", "two")
        for _ in range(4):
            await world.ask()
        assert (len(one.seen), len(two.seen)) == (2, 2)
        world.point("nobody", "one")
        for _ in range(4):
            await world.ask()
        assert (len(one.seen), len(two.seen)) == (6, 2)
        world.point("two")
        await world.ask()
        assert (len(one.seen), len(two.seen)) == (6, 3)


async def test_the_deadline_is_told_as_a_proxy_tells_it(world: World) -> None:
    app = App(name="one")
    async with serving(app, Pipe(path=str(world.folder / "one"))):
        world.point("one")
        await world.ask({"x-envoy-upstream-rq-timeout-ms": "250"})
    assert app.seen[-1].headers["x-envoy-expected-rq-timeout-ms"] == "250"
    assert "x-envoy-upstream-rq-timeout-ms" not in app.seen[-1].headers


@pytest.mark.parametrize("state", ["unknown", "empty", "away", "damaged"])
async def test_nobody_to_ask_is_a_failed_call(world: World, state: str) -> None:
    if state != "unknown":
        world.point(*(["nobody"] if state == "away" else []))
    if state == "damaged":
        (world.folder / "eds" / "back.json").write_text("{", "utf-8")
    async with asyncio.timeout(10):
        with pytest.raises(CallFailed):
            await world.ask()


def test_replicas_of_the_near_zone_come_first() -> None:
    pipes = [Pipe(path=f"/{name}") for name in ("far", "near")]
    assert replicas(endpoints("back", pipes, ("a", "b"), near="b").text.encode()) == (("/near",), ("/far",))


async def test_replicas_further_away_are_asked_only_when_no_near_one_is_reached(world: World) -> None:
    far, near = App(name="far"), App(name="near")
    zones, names = ("a", "b", "b"), ("far", "near", "gone")
    async with serving(far, Pipe(path=str(world.folder / "far"))):
        async with serving(near, Pipe(path=str(world.folder / "near"))):
            world.point(*names, zones=zones, near="b")
            for _ in range(6):
                await world.ask()
            assert (len(far.seen), len(near.seen)) == (0, 6)
        await world.ask()
        assert len(far.seen) == 1


async def test_every_replica_has_only_what_the_ones_before_it_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, given = 100.0, list[float]()

    class Slow:
        async def send(self, *asked: Any) -> Answer:
            nonlocal now
            given.append(asked[-1])
            now += 2.0
            raise NotReached("back", detail="after a while")

        async def close(self) -> None: ...

    monkeypatch.setattr(direct, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(world.transport, "_pool", lambda _: Slow())
    world.point("one", "two", "three", "four")
    with pytest.raises(TimeoutError):
        await world.ask()
    assert given == [5.0, 3.0, 1.0]
