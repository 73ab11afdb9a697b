"""The supervisor's side of the fork server."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from shoal.errors import HostError
from shoal.local import forkserver
from shoal.local.forkserver import Event, Request
from shoal.local.lines import LineReader
from shoal.local.process import Command, OnLine, Process, spawn_detached

_LOST = -9


def supported() -> bool:
    """Say whether forking is sound here; the system libraries of macOS do not survive it."""
    return sys.platform == "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Python module to run in a fork, and one to import ahead."""

    module: str
    arguments: tuple[str, ...] = ()
    warm: str = ""


class _Child:
    """A forked child, in the shape of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    async def wait(self) -> int:
        await self._ended.wait()
        return self.returncode or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """A forked process that waits for the word."""

    process: Process
    word: int
    """Write end of its "go" pipe."""

    def go(self) -> None:
        """Let it become its program."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.word, b"\n")
        os.close(self.word)

    def give_up(self) -> None:
        """Let it end instead."""
        os.close(self.word)


def _argv(modules: Sequence[str]) -> tuple[str, ...]:
    """Start the file and not the module: our search path may be relative, and the server lives in another folder."""
    path = os.pathsep.join(dict.fromkeys(str(Path(entry).absolute()) for entry in sys.path))
    return sys.executable, "-P", str(Path(forkserver.__file__).absolute()), path, *modules


class ForkServer:
    """A running fork server. Make it with `start`, end it with `close`."""

    def __init__(self, control: socket.socket, program: subprocess.Popen[bytes]) -> None:
        self._control, self._program = control, program
        self._starting: dict[int, asyncio.Future[int]] = {}
        self._children: dict[int, _Child] = {}
        self._next = 1
        self.alive = True
        asyncio.get_running_loop().add_reader(control, self._heard)

    @classmethod
    def start(cls, modules: Sequence[str]) -> "ForkServer":
        """Start it; it imports `modules` while we go on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, forkserver.LONGEST)
        try:
            program = spawn_detached(_argv(modules), theirs.fileno())
        except OSError as error:
            ours.close()
            raise HostError(
                f"cannot start the fork server: {error.strerror or error}", hint=f"check that {sys.executable} runs"
            ) from error
        finally:
            theirs.close()
        return cls(ours, program)

    async def fork(self, command: Command, program: Program, on_line: OnLine) -> Forked:
        """Fork a process that imports `program.warm` and then waits for `Forked.go`.

        Raises:
            HostError: The server has died.
        """
        out_read, out_write = os.pipe()
        go_read, go_write = os.pipe()
        lines = LineReader(on_line)
        try:
            await lines.attach(out_read)
            pid = await self._ask(command, program, [out_write, go_read])
        except BaseException:
            lines.close()
            os.close(go_write)
            raise
        finally:
            os.close(out_write)
            os.close(go_read)
        # Process asks of its child no more than what _Child has: a pid, a return code, and to wait.
        child = cast("asyncio.subprocess.Process", self._children[pid])
        return Forked(process=Process(command, child, lines), word=go_write)

    async def close(self) -> None:
        """End it; children that have not got their word end with it."""
        self._lost()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._program.wait, 2)
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()

    async def _ask(self, command: Command, program: Program, descriptors: list[int]) -> int:
        if not self.alive:
            raise HostError(f"cannot start {command.name}: the fork server has died", hint="start `shoal run` again")
        number, self._next = self._next, self._next + 1
        request = Request(
            id=number, name=command.name, module=program.module, arguments=program.arguments,
            cwd=str(command.cwd), env=dict(command.env), warm=program.warm,
        )  # fmt: skip
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._starting[number] = answer
        message = msgspec.msgpack.encode(request)
        try:
            await asyncio.to_thread(socket.send_fds, self._control, [message], descriptors)
        except BaseException as error:
            answer.cancel()  # nobody waits for it
            if not isinstance(error, OSError):
                raise
            self._lost()
            raise HostError(f"cannot start {command.name}: {error.strerror}", hint="start `shoal run` again") from error
        return await answer

    def _heard(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    message = self._control.recv(forkserver.LONGEST, socket.MSG_DONTWAIT)
                except ConnectionError:
                    message = b""
                if not message:
                    self._lost()
                    return
                self._take(msgspec.msgpack.decode(message, type=Event))

    def _take(self, event: Event) -> None:
        if event.code is None:
            self._children[event.pid] = _Child(event.pid)
            answer = self._starting.pop(event.id)
            if not answer.done():
                answer.set_result(event.pid)
        elif event.pid in self._children:
            self._children.pop(event.pid).end(event.code)

    def _lost(self) -> None:
        """Give up a server that has died: nobody would tell us of the end of its children."""
        if not self.alive:
            return
        self.alive = False
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        for answer in self._starting.values():
            if not answer.done():
                answer.set_exception(HostError("the fork server has died", hint="start `shoal run` again"))
        for pid, child in self._children.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, 9)
            child.end(_LOST)
        self._children.clear()
