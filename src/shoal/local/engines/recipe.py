"""What starting an engine means: prepare, start, wait until it answers."""

import asyncio
import functools
import importlib.metadata
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shoal.errors import EngineError, HostError
from shoal.local.guardian import Guardian
from shoal.local.host import require_platform
from shoal.local.process import Command, OnLine, Process, describe_exit
from shoal.local.process import start as start_process

Addresses = Mapping[str, str]
"""Where a started process can be reached: names of its doors, and a URL or path for each. No secrets."""

_REMEMBERED_LINES = 12
_INSTALL = "pip install 'shoal[local]'"
_CAUSES = (
    ("No space left on device", "the disk is full: free space and start again"),
    ("Address already in use", "another process holds its port: stop that process or choose another port"),
    ("address already in use", "another process holds its port: stop that process or choose another port"),
    ("Too many open files", "raise the limit of open files: `ulimit -n 4096`"),
    ("Cannot allocate memory", "free memory and start again"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to run one process.

    Args:
        name: What messages and logs call it.
        prepare: Makes directories and files and returns the command. Can be repeated: call it before every
            start, also before a restart.
        probe: Returns the addresses once the process answers; it never gives up by itself.
        ready_within: Seconds after which a process that does not answer has failed.
        asked: What it is to answer, for messages.
        hint: What to do when it does not.
    """

    name: str
    prepare: Callable[[], Awaitable[Command]]
    probe: Callable[[], Awaitable[Addresses]]
    ready_within: float = 30.0
    asked: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that answers, and where."""

    process: Process
    addresses: Addresses = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKind:
    """An engine that can be run here, and the wheel its program comes from."""

    name: str
    distribution: str
    purpose: str
    locate: Callable[[], Path]
    needed: bool = True
    """Whether the ``local`` extra brings it; any other is for those who ask for it by name."""
    look: Callable[[], str] | None = None
    """Tells the version of what is installed apart from us."""

    @property
    def version(self) -> str:
        """Version of the installed wheel; empty when it is not installed."""
        if self.look is not None:
            return self.look()
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return ""


@functools.cache
def program(distribution: str, file_name: str, *, install: str = _INSTALL) -> Path:
    """Find a program inside an installed wheel, without importing it.

    Args:
        distribution: Name of the wheel's package.
        file_name: Name of the program.
        install: The command that brings it.

    Raises:
        HostError: The wheel is not installed, was not made for this platform, or lacks the program.
    """
    require_platform()
    try:
        files = importlib.metadata.distribution(distribution).files or []
    except importlib.metadata.PackageNotFoundError:
        raise HostError(
            f"the package {distribution} is not installed", hint=f"install the engines: {install}"
        ) from None
    for file in files:
        path = Path(str(file.locate()))
        if file.name == file_name and path.is_file() and path.stat().st_mode & 0o111:
            return path.resolve()
    raise HostError(
        f"the package {distribution} is installed but holds no program {file_name} for this platform",
        hint=f"install it again: {install} --force-reinstall",
    )


async def start(recipe: Recipe, *, on_line: OnLine, guardian: Guardian | None = None) -> Running:
    """Prepare and start a process, and wait until it answers.

    The caller awaits ``running.process.wait()`` afterwards, and then tells the guardian to forget it.
    On failure or cancellation the process is stopped first.

    Raises:
        HostError: The machine lacks something.
        EngineError: It ended, or did not answer in time; the message holds its last lines.
    """
    last_lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)

    def heard(line: str) -> None:
        last_lines.append(line)
        on_line(line)

    command = _guarded(await recipe.prepare(), guardian)
    process = await start_process(command, heard)
    try:
        if guardian is not None:
            guardian.watch(process)
        addresses = await _answering(recipe, process, last_lines)
    except BaseException:
        await process.stop()
        if guardian is not None:
            guardian.forget(process)
        raise
    return Running(process=process, addresses=addresses)


def _guarded(command: Command, guardian: Guardian | None) -> Command:
    return command if guardian is None else replace(command, env={**command.env, **guardian.environment})


async def _answering(recipe: Recipe, process: Process, last_lines: deque[str]) -> Addresses:
    probing = asyncio.ensure_future(recipe.probe())
    ending = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({probing, ending}, timeout=recipe.ready_within, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            raise _failed(f"{recipe.name} {describe_exit(ending.result())} before it was ready", last_lines)
        if not probing.done():
            raise _failed(f"{recipe.name} did not answer within {recipe.ready_within:g} s", last_lines)
        return probing.result()
    finally:
        probing.cancel()
        ending.cancel()
        await asyncio.gather(probing, ending, return_exceptions=True)


def _failed(what: str, last_lines: deque[str]) -> EngineError:
    said = "\n".join(f"  | {line}" for line in last_lines)
    causes = [hint for words, hint in _CAUSES if words in said]
    return EngineError(
        f"{what}; its last lines:\n{said}" if said else f"{what} and said nothing",
        hint=causes[0] if causes else "its last lines above, or its log, say why",
    )
