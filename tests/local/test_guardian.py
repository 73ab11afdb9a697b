"""The guardian: whatever happens to the supervisor, nothing is left."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shoal.errors import HostError
from shoal.local import reaper
from shoal.local.guardian import Guardian, sweep
from shoal.local.probe import until
from shoal.local.process import Process

Begin = Callable[..., Awaitable[Process]]

SLEEPER = "import time\nprint('ready')\ntime.sleep(600)"
POLITE = """
import signal, sys, time
def leave(*_):
    open(sys.argv[1], "w").write("asked")
    sys.exit()
signal.signal(signal.SIGUSR1, leave)
print("ready")
time.sleep(600)
"""
SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from shoal.local.guardian import Guardian
from shoal.local.process import Command, base_environment, start

STUBBORN = '''import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(600)'''
PARENT = '''import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid)
time.sleep(600)'''

async def main():
    guardian = await Guardian.start(Path(sys.argv[1]))
    print("pid", guardian._program.pid, flush=True)
    for number, (code, watched) in enumerate([(STUBBORN, True), (PARENT, True), (PARENT, False)]):
        command = Command(name="child", argv=(sys.executable, "-u", "-c", code), cwd=Path("/"),
                          env=base_environment(guardian.environment))
        heard = asyncio.Event()
        def on_line(line, heard=heard):
            print("pid", line, flush=True) if line.isdigit() else None
            heard.set()
        process = await start(command, on_line)
        if watched:
            guardian.watch(process)
        await heard.wait()
        print("pid", process.pid, flush=True)
    print("done", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def all_gone(pids: list[int]) -> bool:
    async def check() -> bool | None:
        return not any(reaper.born(pid) for pid in pids) or None

    async with asyncio.timeout(20):
        return await until(check)


async def said(output: list[str], words: str) -> None:
    async def check() -> bool | None:
        return words in output or None

    async with asyncio.timeout(20):
        await until(check)


async def noted(record: Path, words: str) -> None:
    async def check() -> bool | None:
        return words in await asyncio.to_thread(record.read_text) or None

    async with asyncio.timeout(20):
        await until(check)


async def supervise(run_python: Begin, output: list[str], record: Path) -> tuple[Process, list[int]]:
    """Start a supervisor with six descendants: its guardian is the first."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = await run_python(
        "",
        argv=(sys.executable, "-c", SUPERVISOR, str(record)),
        env=environment,
    )
    await said(output, "done")
    return process, [int(line.split()[1]) for line in output if line.startswith("pid ")]


async def test_nothing_outlives_a_killed_supervisor(run_python: Begin, output: list[str], place: Path) -> None:
    record = place / "processes"
    supervisor, pids = await supervise(run_python, output, record)
    assert len(pids) == 6
    os.kill(supervisor.pid, signal.SIGKILL)
    await supervisor.wait()
    assert await all_gone(pids)
    assert not record.exists()


async def test_the_next_start_ends_what_a_killed_guardian_left(
    run_python: Begin, output: list[str], place: Path
) -> None:
    record = place / "processes"
    supervisor, pids = await supervise(run_python, output, record)
    os.kill(pids[0], signal.SIGKILL)
    os.kill(supervisor.pid, signal.SIGKILL)
    await supervisor.wait()
    ended = await sweep(record)
    assert set(ended) == set(pids[1:])
    assert await all_gone(pids)
    assert await sweep(record) == ()


async def test_a_copied_record_ends_nobody(run_python: Begin, output: list[str], place: Path) -> None:
    guardian = await Guardian.start(place / "processes")
    process = await run_python(SLEEPER)
    guardian.watch(process)
    await said(output, "ready")
    await noted(place / "processes", f"+{process.pid} ")
    shutil.copytree(place, place / "copy")
    assert await sweep(place / "copy" / "processes") == ()
    assert process.returncode is None
    assert not (place / "copy" / "processes").exists()
    (place / "processes").rename(place / "moved")
    assert await sweep(place / "moved") == (process.pid,)
    await guardian.close()


async def test_processes_are_asked_with_their_own_signal(run_python: Begin, output: list[str], place: Path) -> None:
    guardian = await Guardian.start(place / "processes")
    process = await run_python(POLITE, str(place / "answer"), death_signal=signal.SIGUSR1)
    guardian.watch(process)
    await said(output, "ready")
    await guardian.close()
    assert await process.wait() == 0
    assert (place / "answer").read_text() == "asked"


async def test_a_forgotten_process_is_left_alone(run_python: Begin, output: list[str], place: Path) -> None:
    guardian = await Guardian.start(place / "processes")
    process = await run_python(SLEEPER)
    guardian.watch(process)
    await said(output, "ready")
    guardian.forget(process)
    await guardian.close()
    await guardian.close()
    assert process.returncode is None


async def test_a_guardian_ignores_the_terminal_and_is_replaced_when_killed(
    run_python: Begin, output: list[str], place: Path
) -> None:
    guardian = await Guardian.start(place / "processes")
    first, second = await run_python(SLEEPER), await run_python(SLEEPER)
    guardian.watch(first)
    program = guardian._program
    assert program is not None
    await noted(place / "processes", f"+{first.pid} ")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        program.send_signal(number)
    guardian.watch(third := await run_python(SLEEPER))
    await noted(place / "processes", f"+{third.pid} ")
    program.kill()
    program.wait()
    guardian.watch(second)
    await guardian.close()
    assert await first.wait() == -signal.SIGTERM
    assert await second.wait() == -signal.SIGTERM
    assert await third.wait() == -signal.SIGTERM


async def test_a_guardian_that_cannot_start_says_why(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(place / "missing"))
    with pytest.raises(HostError, match="cannot start the guardian"):
        await Guardian.start(place / "processes")


async def test_a_guardian_leaves_the_record_of_the_next_run_alone(place: Path) -> None:
    first = await Guardian.start(place / "processes")
    await noted(place / "processes", "=")
    second = await Guardian.start(place / "processes")
    await noted(place / "processes", f"={second._token}")
    await first.close()
    assert (place / "processes").exists()
    await second.close()
    assert not (place / "processes").exists()


async def test_sweep_without_a_record_does_nothing(place: Path) -> None:
    assert await sweep(place / "processes") == ()


async def test_a_recycled_pid_is_safe(run_python: Begin, output: list[str]) -> None:
    process = await run_python(SLEEPER)
    await said(output, "ready")
    assert reaper.end([reaper.Charge(process.pid, signal.SIGKILL, "another time")]) == []
    assert process.returncode is None


def test_both_tables_agree_about_this_process() -> None:
    for entries in (reaper.table(), reaper._table_from_ps()):
        entry = entries[os.getpid()]
        assert (entry.parent, entry.group, entry.dead) == (os.getppid(), os.getpgid(0), False)
        assert entry.born


def test_a_record_tells_what_had_not_ended() -> None:
    token, charges = reaper.replay(["=abc", "+10 15 900", "+11 2 901", "-10", "+12 1", "", "junk"])
    assert token == "abc"
    assert charges == [reaper.Charge(11, 2, "901")]
