"""Measure B12."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from statistics import median

import msgspec

from bench import http
from bench.hops.running import request
from bench.outcome import Effort, Outcome
from bench.reload import world
from bench.report import Comparison, Section, Table
from bench.rounds import Say
from bench.statistics import Target, estimate
from shoal.local import proxies
from shoal.mesh.layout import Layout

ROUNDS, CLIENTS = 300, 8
APPEARS, GOES, MOVES = "a route appears", "a route goes", "a replica is replaced"

ABOUT = """
The time from the moment at which a changed declaration begins to be compiled as `shoal run` does it, or the place of a
replica is written, until an answer shows that Envoy does as the files say: a new operation is answered, an old one is
404, another replica answers. The question is asked again as soon as it is answered, over a connection of its own. Eight
others ask for something that does not change, also over a connection for each request; any answer but 200, and any
connection that ends without one, counts as dropped. The target is that of every change, so the slowest is shown, too.
"""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One round: seconds of each change."""

    seconds: Mapping[str, float]


async def run(effort: Effort, say: Say) -> Outcome:
    """Change what Envoy reads, again and again, under load."""
    count, rounds = effort.choose(ROUNDS), list[Change]()
    async with world.running() as (port, mesh):
        world.point(mesh, "one")
        await _until(lambda: _said(port, world.STEADY, "one"))
        async with _asking(port) as answers:
            for _ in range(count):
                rounds.append(Change(seconds=await _changed(port, mesh)))
    dropped = sum(answers.values()) - answers["200"]
    say(f"{len(rounds)} rounds of three changes, {sum(answers.values()):,} requests beside them, {dropped} dropped")
    return Outcome(section=_section(rounds, answers), rows={"rounds": rounds})


async def _changed(port: int, mesh: Layout) -> dict[str, float]:
    async def follow(*, grown: bool) -> None:
        await proxies.follow(world.planned(port, grown=grown), mesh)

    found = {APPEARS: await _timed(lambda: follow(grown=True), lambda: _status(port, 200))}
    found[GOES] = await _timed(lambda: follow(grown=False), lambda: _status(port, 404))
    found[MOVES] = await _moved(port, mesh, "two")
    await _moved(port, mesh, "one")
    return found


async def _moved(port: int, mesh: Layout, name: str) -> float:
    return await _timed(lambda: _point(mesh, name), lambda: _said(port, world.STEADY, name))


async def _point(mesh: Layout, name: str) -> None:
    await asyncio.to_thread(world.point, mesh, name)


async def _timed(change: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[bool]]) -> float:
    began = time.perf_counter()
    await change()
    await _until(done)
    return time.perf_counter() - began


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(http.PATIENCE):
        while not await done():
            pass


async def _status(port: int, wanted: int) -> bool:
    return (await http.send(port, request(world.NEW))).status == wanted


async def _said(port: int, path: str, name: str) -> bool:
    return (await http.send(port, request(path))).body == name.encode()


@contextlib.asynccontextmanager
async def _asking(port: int) -> AsyncIterator[Counter[str]]:
    """Ask for what does not change, until the block ends; yields how often each status came, or none."""
    answers: Counter[str] = Counter()
    over = asyncio.Event()

    async def client() -> None:
        while not over.is_set():
            try:
                answers[str((await http.send(port, request(world.STEADY))).status)] += 1
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                answers["none"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
        yield answers
        over.set()


def _section(rounds: Sequence[Change], answers: Mapping[str, int]) -> Section:
    found = {name: [one.seconds[name] for one in rounds] for name in (APPEARS, GOES, MOVES)}
    dropped = sum(answers.values()) - answers["200"]
    rows = tuple((name, f"{median(some):.3f}", f"{max(some):.3f}") for name, some in found.items())
    return Section(
        id="B12",
        title="from a changed file to a changed answer",
        about=ABOUT,
        comparisons=tuple(
            Comparison(what=f"{name}, s", ratio=estimate(some), target=Target(bound=1.0, better="lower"))
            for name, some in found.items()
        ),
        tables=(Table(columns=("", "median, s", "slowest, s"), rows=rows),),
        facts={
            "rounds": f"{len(rounds)}",
            "requests beside them": f"{sum(answers.values()):,}, of which {dropped} were dropped",
        },
    )
