"""Calls without a proxy: the replicas of a file, in turn, and again when the file is replaced."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from shoal import CallFailed
from shoal.mesh.endpoints import endpoints
from shoal.mesh.layout import Pipe
from shoal.runtime.direct import DirectTransport, replicas
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
    assert replicas(endpoints("back", pipes, ("a", "b"), near="b").text.encode()) == ("/near", "/far")
