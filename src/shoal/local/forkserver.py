"""Fork services from a process that has imported the framework once.

Importing the runtime and its drivers takes about half a second of CPU; with one interpreter per replica that is most
of the start-up time of a system. This program, ``python -P forkserver.py PATH MODULE...``, imports modules once and
then forks a child per request. It never imports an author's module, so each child gets it fresh from disk.

Requests arrive on standard input, a UNIX socket that keeps message boundaries, each with two descriptors: the output
of the child and its "go" pipe. The child imports the author's module, waits for a byte on the pipe, and becomes the
program. When the pipe or the socket ends instead, the supervisor has died and so do they.
"""

import contextlib
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from typing import NoReturn

import msgspec

LONGEST = 512 * 1024
_FAILED = 1


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One child to fork."""

    id: int
    name: str
    module: str
    """Run as ``__main__``."""
    arguments: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    warm: str
    """Module to import before the word is given; may be empty."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A child was started, or has ended."""

    pid: int
    id: int = 0
    """Of the request, when it was started."""
    code: int | None = None
    """Exit code, negative for a signal, when it has ended."""


def main(path: str, *modules: str) -> None:
    """Import `modules` from the search path `path` and serve until the control socket ends."""
    sys.path[:] = path.split(os.pathsep)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    control = socket.socket(fileno=os.dup(0))
    for module in modules:
        with contextlib.suppress(ImportError):  # the child will say it
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # the collector must not touch, and so copy, what the children share
    _serve(control, wake_read)


def _serve(control: socket.socket, wake: int) -> None:
    decode, encode = msgspec.msgpack.Decoder(Request).decode, msgspec.msgpack.encode
    while True:
        readable, _, _ = select.select([control.fileno(), wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            for event in _ended():
                control.send(encode(event))
        if control.fileno() in readable:
            message, descriptors, _, _ = socket.recv_fds(control, LONGEST, 2)
            if not message:
                return
            request = decode(message)
            pid = os.fork()
            if pid == 0:
                control.close()
                _child(request, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            control.send(encode(Event(id=request.id, pid=pid)))


def _ended() -> list[Event]:
    events = []
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            events.append(Event(pid=pid, code=os.waitstatus_to_exitcode(status)))
    return events


def _child(request: Request, output: int, go: int) -> NoReturn:
    code = _FAILED
    try:
        _settle(request, output, go)
        if request.warm:
            with contextlib.suppress(BaseException):  # the program imports it again and says what is wrong
                importlib.import_module(request.warm)
        if not os.read(0, 1):
            os._exit(0)
        _silence_input()
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        code = _exit_code(ending)
    except BaseException:  # noqa: BLE001 - the last frame of the process
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _settle(request: Request, output: int, go: int) -> None:
    """Become a process of its own, with its own output, folder and environment."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.dup2(go, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, max(output, go, 64) + 1)
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="utf-8") as comm:  # noqa: PTH123
        comm.write(request.name[:15])
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.env)
    sys.argv = [request.module, *request.arguments]
    roots = request.env.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [*filter(None, roots), *(p for p in sys.path if p not in roots and p not in ("", "/"))]
    importlib.invalidate_caches()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _silence_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _exit_code(ending: SystemExit) -> int:
    if ending.code is None:
        return 0
    if isinstance(ending.code, int):
        return ending.code
    print(ending.code, file=sys.stderr)  # noqa: T201 - what the interpreter does
    return _FAILED


if __name__ == "__main__":
    main(*sys.argv[1:])
