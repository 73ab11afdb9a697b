"""Leave no process behind, however this one ends.

A `Guardian` is a tiny separate process (reaper.py) that holds the other end of a pipe. When the supervisor
dies, also by SIGKILL, the pipe ends and the guardian ends what it watches. `sweep` does the same at the
next start, should the guardian itself have been killed.
"""

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shoal.errors import HostError
from shoal.local import reaper
from shoal.local.process import Process, spawn_detached

_ENDS_WITHIN = reaper.POLITE_SECONDS + reaper.KILLED_SECONDS + 1.0


class Guardian:
    """The guard of one supervisor. Make it with `start`, end it with `close`."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._token = secrets.token_hex(8)
        self._watched: dict[int, int] = {}
        self._pipe = -1
        self._program: subprocess.Popen[bytes] | None = None

    @classmethod
    async def start(cls, record: Path) -> "Guardian":
        """Start a guardian that keeps its notes in the file `record`.

        Raises:
            HostError: It could not be started.
        """
        guardian = cls(record)
        guardian._spawn()
        return guardian

    @property
    def environment(self) -> Mapping[str, str]:
        """A variable to add to every process started.

        On Linux it lets the guardian find what had no time to be registered, and descendants that left.
        """
        return {reaper.TOKEN_VARIABLE: self._token}

    def watch(self, process: Process) -> None:
        """End `process`, with its ``death_signal`` first, when this supervisor dies. Never blocks."""
        number = process.command.death_signal
        self._watched[process.pid] = process.command.stop_signal if number is None else number
        self._tell(f"+{process.pid} {self._watched[process.pid]}")

    def forget(self, process: Process) -> None:
        """Stop watching a process that has ended."""
        if self._watched.pop(process.pid, None) is not None:
            self._tell(f"-{process.pid}")

    async def close(self) -> None:
        """End what is still watched, as at the supervisor's death, and the guardian itself."""
        program, self._program = self._program, None
        if program is None:
            return
        os.close(self._pipe)
        try:
            await asyncio.to_thread(program.wait, _ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            program.kill()
            await asyncio.to_thread(program.wait)

    def _tell(self, order: str) -> None:
        if self._program is None:
            return
        try:
            os.write(self._pipe, f"{order}\n".encode())
        except BrokenPipeError:  # somebody killed the guardian: a new one takes over the whole list
            os.close(self._pipe)
            self._program.wait()
            self._spawn()

    def _spawn(self) -> None:
        read_end, self._pipe = os.pipe()
        argv = [sys.executable, "-I", "-S", reaper.__file__, self._token, str(self._record.absolute())]
        try:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            self._program = spawn_detached(argv, read_end)
        except OSError as error:
            os.close(self._pipe)
            raise HostError(
                f"cannot start the guardian of processes: {error.strerror or error}",
                hint=f"check that {self._record.parent} can be written and that {sys.executable} runs",
            ) from error
        finally:
            os.close(read_end)
        for pid, number in self._watched.items():
            self._tell(f"+{pid} {number}")


async def sweep(record: Path) -> tuple[int, ...]:
    """End what an earlier run left behind, by the notes of its guardian; do nothing when there are none.

    Call it only while holding the lock of the project: it would end the processes of a living supervisor too.

    Returns:
        The pids of the processes that had to be ended.
    """
    return await asyncio.to_thread(_sweep, record)


def _sweep(record: Path) -> tuple[int, ...]:
    try:
        notes = record.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return ()
    token, charges = reaper.replay(notes)
    ended = [] if _is_copy(record, notes) else reaper.end(charges, token)
    with contextlib.suppress(FileNotFoundError):  # the guardian of that run may be finishing too
        record.unlink()
    return tuple(ended)


def _is_copy(record: Path, notes: list[str]) -> bool:
    """Say whether these are the notes of another project's guardian, whose processes may well be wanted."""
    said = next((line[1:] for line in notes if line.startswith("@")), "")
    return bool(said) and said != reaper.identity(record)
