"""Starting by recipe: what happens when a process does not become ready."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shoal.errors import EngineError, HostError
from shoal.local import reaper
from shoal.local.engines import KINDS, Addresses, Recipe, start
from shoal.local.engines.recipe import EngineKind
from shoal.local.guardian import Guardian
from shoal.local.process import Command

Make = Callable[..., Command]

SLEEPER = "import os, time\nprint(os.getpid())\ntime.sleep(600)"


async def never() -> Addresses:
    await asyncio.Event().wait()
    return {}


async def at_once() -> Addresses:
    return {"door": "here"}


def recipe(command: Command, *, within: float = 20.0, ready: bool = False) -> Recipe:
    async def prepare() -> Command:
        return command

    return Recipe(name="sample", prepare=prepare, probe=at_once if ready else never, ready_within=within)


async def test_a_ready_process_is_returned_with_its_addresses(python: Make) -> None:
    running = await start(recipe(python(SLEEPER), ready=True), on_line=print)
    assert running.addresses == {"door": "here"}
    assert running.process.returncode is None
    await running.process.kill()


async def test_a_process_that_ends_is_reported_with_its_last_lines(python: Make, output: list[str]) -> None:
    command = python("import sys\nfor n in range(30): print('line', n)\nsys.exit(4)")
    with pytest.raises(EngineError, match="sample exited with code 4 before it was ready") as caught:
        await start(recipe(command), on_line=output.append)
    assert "line 29" in caught.value.message
    assert "line 1\n" not in caught.value.message
    assert len(output) == 30


async def test_a_full_disk_is_recognised_in_its_words(python: Make) -> None:
    command = python("import sys\ntry: open('/dev/full', 'w').write('x' * 99999)\nexcept OSError as e: sys.exit(e)")
    with pytest.raises(EngineError, match="No space left") as caught:
        await start(recipe(command), on_line=print)
    assert "free space" in caught.value.hint


async def test_a_silent_process_is_stopped(python: Make, output: list[str]) -> None:
    with pytest.raises(EngineError, match=r"did not answer within 0\.5 s"):
        await start(recipe(python(SLEEPER), within=0.5), on_line=output.append)
    assert not any(reaper.born(int(line)) for line in output)


async def test_an_interrupted_start_leaves_no_process(python: Make, place: Path) -> None:
    pids = asyncio.Queue[int]()
    guardian = await Guardian.start(place / "processes")
    starting = asyncio.ensure_future(
        start(recipe(python(SLEEPER)), on_line=lambda line: pids.put_nowait(int(line)), guardian=guardian)
    )
    pid = await pids.get()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not reaper.born(pid)
    assert not guardian._watched
    await guardian.close()


async def test_a_guarded_process_carries_the_mark_of_its_guardian(python: Make, place: Path) -> None:
    lines = asyncio.Queue[str]()
    guardian = await Guardian.start(place / "processes")
    code = f"import os, time\nprint(os.environ['{reaper.TOKEN_VARIABLE}'])\ntime.sleep(600)"
    running = await start(recipe(python(code), ready=True), on_line=lines.put_nowait, guardian=guardian)
    assert {reaper.TOKEN_VARIABLE: await lines.get()} == guardian.environment
    await guardian.close()
    assert await running.process.wait() != 0


@pytest.mark.live
def test_every_engine_of_the_list_is_found() -> None:
    for kind in KINDS:
        found = path_or_hint(kind)
        if isinstance(found, str):  # one that nobody needs may not be here
            assert (kind.needed, bool(found)) == (False, True), kind.name
        else:
            assert os.access(found, os.X_OK if kind.needed else os.R_OK)  # Java runs what cannot be executed
            assert kind.version or not kind.needed


def path_or_hint(kind: EngineKind) -> Path | str:
    """Find an engine, or how to get it."""
    try:
        return kind.locate()
    except HostError as error:
        return error.hint
