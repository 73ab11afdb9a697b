"""Start, watch and stop processes: the only subprocess code of the package.

A process is started from an argument vector, never a shell, in a session of its own, so that its whole
group can be ended. What it prints comes back line by line.
"""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shoal.errors import EngineError, HostError
from shoal.local import reaper
from shoal.local.lines import LineReader

OnLine = Callable[[str], None]

_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PIPE_LINGERS = 1.0
_LARGEST_STDIN = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to start.

    Args:
        name: What messages call it.
        argv: Program and arguments.
        cwd: Working directory; must exist.
        env: The whole environment; nothing else is inherited. See `base_environment`.
        stop_signal: Asks it to end in an orderly way.
        stop_after: Seconds from that signal to SIGKILL.
        death_signal: Sent by the guardian when the supervisor has died; `stop_signal` when None.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    stop_signal: int = signal.SIGTERM
    stop_after: float = 10.0
    death_signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a short command ended: its exit code (negative: the signal) and everything it printed."""

    code: int
    output: str


def base_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the few variables every program may need, such as its search path and locale, and `extra`."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | dict(extra or {})


def describe_exit(code: int) -> str:
    """Say how a process ended, as ``exited with code 3`` or ``was killed by SIGKILL``."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class Child(Protocol):
    """What `Process` needs to know of the process it stands for; asyncio's own has it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, None while it runs."""

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""


class Process:
    """A started process. Make it with `start`.

    Its `pid` is also its process group; `born` tells it from any later process with that pid; `started_at`
    is a UNIX time.
    """

    def __init__(self, command: Command, child: Child, lines: LineReader) -> None:
        self.command = command
        self.pid = child.pid
        self.born = reaper.born(child.pid)
        self.started_at = time.time()
        self._child = child
        self._lines = lines
        self._end = asyncio.ensure_future(self._finish())

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, None while it runs."""
        return self._child.returncode

    @property
    def lines_refused(self) -> int:
        """Lines that the callback refused by raising, as a log on a full disk does."""
        return self._lines.refused

    async def wait(self) -> int:
        """Wait for the end, until the last line was delivered; return the exit code."""
        return await asyncio.shield(self._end)

    def send(self, number: int) -> None:
        """Send a signal to the group; a process that has ended is left in peace."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def stop(self) -> int:
        """Ask it to end, kill it and all its descendants when it has not after `stop_after` seconds."""
        self.send(self.command.stop_signal)
        done, _ = await asyncio.wait({self._end}, timeout=self.command.stop_after)
        if not done:
            await self.kill()
        return await self.wait()

    async def kill(self) -> int:
        """Kill it and all its descendants, also those that left its group, as PostgreSQL's backends do."""
        if self.returncode is None:
            for pid in reaper.family(self.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        return await self.wait()

    async def _finish(self) -> int:
        code = await self._child.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # what it left behind in its group
        await self._lines.drain(_PIPE_LINGERS)
        return code


async def start(command: Command, on_line: OnLine, *, stdin: bytes = b"") -> Process:
    """Start a process.

    Args:
        command: What to start.
        on_line: Called in the event loop with each line of its output and error output, in order and
            without the end of line. Long lines are cut and undecodable bytes replaced. It should not raise.
        stdin: What it can read; at most 4 KiB.

    Raises:
        HostError: It could not be started.
    """
    read_end, write_end = os.pipe()
    lines = LineReader(on_line)
    try:
        await lines.attach(read_end)
        child = await _spawn(command, write_end, stdin)
    except BaseException:
        lines.close()
        raise
    finally:
        os.close(write_end)
    return Process(command, child, lines)


async def run(command: Command, *, stdin: bytes = b"", within: float = 60.0) -> Finished:
    """Run a short command to its end.

    Raises:
        HostError: It could not be started.
        EngineError: It did not end within `within` seconds; it was killed.
    """
    lines: list[str] = []
    process = await start(command, lines.append, stdin=stdin)
    try:
        code = await asyncio.wait_for(process.wait(), within)
    except TimeoutError as error:
        raise EngineError(
            f"{command.name} did not end within {within:g} s ({command.argv[0]})",
            hint="the machine may be overloaded: try again",
        ) from error
    finally:
        await process.kill()
    return Finished(code=code, output="\n".join(lines).strip())


def spawn_detached(argv: Sequence[str], stdin: int) -> subprocess.Popen[bytes]:
    """Start a process that must outlive this one: own session, silent, reading `stdin`."""
    return subprocess.Popen(  # noqa: S603 - an argument vector of our own
        argv,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


async def _spawn(command: Command, output: int, stdin: bytes) -> asyncio.subprocess.Process:
    if len(stdin) > _LARGEST_STDIN:  # a pipe holds this much, so nobody waits for the process to read it
        raise ValueError(f"{command.name} is given {len(stdin)} bytes to read; at most {_LARGEST_STDIN}")
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, stdin)
    finally:
        os.close(write_end)
    try:
        return await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=read_end,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(command.env),
            cwd=command.cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _not_started(command, error) from error
    finally:
        os.close(read_end)


def _not_started(command: Command, error: OSError | ValueError) -> HostError:
    program = command.argv[0]
    hints = {
        errno.EACCES: f"make {program} executable, and the directories above it readable, for this user",
        errno.ENOEXEC: f"{program} is not a program for this platform; reinstall it here",
        errno.ENOSPC: "free disk space and start again",
        errno.EAGAIN: "this user may not start more processes: raise `ulimit -u`",
        errno.EMFILE: "this user may not open more files: raise `ulimit -n`",
        errno.ENOMEM: "free memory and start again",
        errno.E2BIG: "shorten its arguments or its environment",
    }
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT and not command.cwd.is_dir():
        return HostError(
            f"cannot start {command.name}: its working directory {command.cwd} does not exist",
            hint="create the directory",
        )
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return HostError(
        f"cannot start {command.name}: {program}: {reason}",
        hint=hints.get(number or 0, f"check that {program} exists and runs by itself"),
    )
