"""Processes: their lines, their ends and the ways they can fail to start."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shoal.errors import EngineError, HostError
from shoal.local import reaper
from shoal.local.lines import LONGEST_LINE
from shoal.local.probe import until
from shoal.local.process import Command, Process, base_environment, describe_exit, run, start

Begin = Callable[..., Awaitable[Process]]
Make = Callable[..., Command]

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
own = sys.argv[1] == "own"
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=own)
print(child.pid)
if sys.argv[2] == "stay":
    time.sleep(600)
"""


async def said(output: list[str], count: int = 1) -> list[str]:
    async def check() -> list[str] | None:
        return output if len(output) >= count else None

    async with asyncio.timeout(20):
        return await until(check)


async def gone(pid: int) -> bool:
    async def check() -> bool | None:
        return not reaper.born(pid) or None

    async with asyncio.timeout(20):
        return await until(check)


async def test_lines_of_both_outputs_arrive_in_order_and_the_code_returns(run_python: Begin, output: list[str]) -> None:
    process = await run_python("import os, sys\nfor n in range(3): os.write(1 + n % 2, b'line %d\\n' % n)\nsys.exit(3)")
    assert await process.wait() == 3
    assert output == ["line 0", "line 1", "line 2"]
    assert describe_exit(3) == "exited with code 3"


async def test_undecodable_long_and_unfinished_lines_are_bounded(run_python: Begin, output: list[str]) -> None:
    process = await run_python(
        "import os, sys\n"
        "os.write(1, b'\\xff\\n')\n"
        "os.write(1, b'x' * int(sys.argv[1]) + b'\\r\\n')\n"
        "os.write(1, b'end')",
        str(LONGEST_LINE + 5),
    )
    await process.wait()
    assert output[0] == "\N{REPLACEMENT CHARACTER}"
    assert output[1] == "x" * LONGEST_LINE + " … (6 bytes cut)"
    assert output[2] == "end"


async def test_a_log_that_cannot_be_written_does_not_block_the_process(python: Make) -> None:
    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    process = await start(python("for n in range(20000): print('line', n)"), full)
    assert await process.wait() == 0
    assert process.lines_refused == 20000


async def test_a_process_gets_its_own_session_no_input_and_only_its_environment(
    run_python: Begin, output: list[str]
) -> None:
    code = "import os, sys\nprint(os.getsid(0), repr(sys.stdin.read()), os.environ.get('A'), len(os.environ))"
    process = await run_python(code, env={"A": "1", "LC_CTYPE": "C"})
    await process.wait()
    assert output == [f"{process.pid} '' 1 2"]


async def test_a_polite_process_chooses_its_code(run_python: Begin, output: list[str]) -> None:
    process = await run_python(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\nprint('ready')\ntime.sleep(600)",
        stop_signal=signal.SIGINT,
    )
    await said(output)
    assert await process.stop() == 7
    assert await process.stop() == 7


async def test_a_stubborn_process_is_killed(run_python: Begin, output: list[str]) -> None:
    process = await run_python(STUBBORN, stop_after=0.05)
    await said(output)
    assert await process.stop() == -signal.SIGKILL
    assert describe_exit(-9) == "was killed by SIGKILL"


async def test_kill_takes_descendants_in_other_sessions(run_python: Begin, output: list[str]) -> None:
    process = await run_python(PARENT, "own", "stay")
    child = int((await said(output))[0])
    await process.kill()
    assert await gone(child)


async def test_the_rest_of_a_group_ends_with_its_leader(run_python: Begin, output: list[str]) -> None:
    process = await run_python(PARENT, "same", "leave")
    assert await process.wait() == 0
    assert await gone(int(output[0]))


async def test_the_end_is_seen_though_a_stray_descendant_holds_the_pipe(run_python: Begin, output: list[str]) -> None:
    process = await run_python(PARENT, "own", "leave")
    assert await process.wait() == 0
    os.kill(int(output[0]), signal.SIGKILL)


async def test_a_signal_after_the_end_reaches_nobody(run_python: Begin) -> None:
    process = await run_python("pass")
    await process.wait()
    process.send(signal.SIGTERM)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0, "No such file"),
        (b"#!/bin/sh\n", 0o600, "Permission denied"),
        (b"\x7fELF nonsense", 0o700, "Exec format error"),
    ],
)
async def test_what_cannot_start_says_why_and_what_to_do(
    python: Make, place: Path, content: bytes | None, mode: int, words: str
) -> None:
    program = place / "program"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(HostError, match=words) as caught:
        await start(python("", argv=(str(program),)), print)
    assert "cannot start sample" in caught.value.message
    assert caught.value.hint


async def test_a_missing_working_directory_is_named(python: Make, place: Path) -> None:
    with pytest.raises(HostError, match=r"working directory .*/nowhere does not exist"):
        await start(python("", cwd=place / "nowhere"), print)


async def test_run_feeds_input_and_returns_output(python: Make) -> None:
    finished = await run(python("import sys\nprint(sys.stdin.read().upper())\nsys.exit(2)"), stdin=b"abc")
    assert (finished.code, finished.output) == (2, "ABC")


async def test_run_refuses_input_that_a_pipe_might_not_hold(python: Make) -> None:
    with pytest.raises(ValueError, match="is given 5000 bytes"):
        await run(python(""), stdin=b"x" * 5000)


async def test_run_kills_what_takes_too_long(python: Make) -> None:
    with pytest.raises(EngineError, match=r"did not end within 0\.2 s"):
        await run(python(STUBBORN), within=0.2)


def test_the_environment_keeps_the_search_path_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("API_TOKEN", "secret")
    environment = base_environment({"B": "2"})
    assert environment["PATH"] == "/bin"
    assert environment["B"] == "2"
    assert "API_TOKEN" not in environment


def test_a_command_does_not_show_its_environment(python: Make) -> None:
    assert "secret" not in repr(python("", env={"PASSWORD": "secret"}))
