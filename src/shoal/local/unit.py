"""One process kept alive: started, watched, and started again with growing pauses."""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shoal.errors import EngineError, HostError, ShoalError
from shoal.local import process
from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.forks import Forked, Program
from shoal.local.ground import Ground
from shoal.local.logs import parse
from shoal.local.process import Command, Process, describe_exit
from shoal.local.reporter import Reporter
from shoal.local.state import Kind, ProcessState, Status

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a first and after many failures in a row; doubled each time, with jitter."""

STEADY_AFTER = 20.0
"""Seconds of being ready after which earlier failures are forgotten."""

_PATIENCE = 5.0
"""Seconds of starting after which people are told what is awaited."""

_REMEMBERED = 30
_CAUSES = (
    ("inotify_fd_ >= 0", "this machine watches too many files: sudo sysctl fs.inotify.max_user_instances=1024"),
    ("No space left on device", "the disk is full: free space and start again"),
    ("Too many open files", "raise the limit of open files: ulimit -n 4096"),
    ("Cannot allocate memory", "free memory and start again"),
)
"""What an engine says, and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a unit runs. A `program` is forked where that is possible; otherwise the recipe's command is executed."""

    recipe: Recipe
    kind: Kind
    service: str = ""
    program: Program | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a unit works and to whom it reports."""

    ground: Ground
    reporter: Reporter
    changed: Callable[[], None]


class Unit:
    """One engine, sandbox or replica. `start` it once, then `keep` it, and `stop` it in the end."""

    def __init__(self, job: Job, around: Surroundings) -> None:
        self.job, self._around = job, around
        self.state = ProcessState(
            name=job.recipe.name, kind=job.kind, service=job.service,
            log=str(around.ground.layout.logs / f"{job.recipe.name}.log"),
        )  # fmt: skip
        self.addresses: Addresses = {}
        self.command: Command | None = None
        """What was started last."""
        self._process: Process | None = None
        self._forked: Forked | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._last: deque[str] = deque(maxlen=_REMEMBERED)
        self._failures = 0
        self._ready_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.state.status == "ready"

    @property
    def kept(self) -> bool:
        """Whether it is started again whenever it ends."""
        return self._keeper is not None

    @property
    def process(self) -> Process | None:
        """Its process, while there is one."""
        return self._process

    async def warm(self) -> None:
        """Fork its process ahead, where that is possible, up to the point where it needs its engines."""
        forks, program = self._around.ground.forks, self.job.program
        if program is not None and forks is not None and forks.alive and self._forked is None:
            command = self._guarded(await self.job.recipe.prepare())
            try:
                self._forked = await forks.fork(command, program, self._heard)
            except HostError:
                if forks.alive:
                    raise  # without the server, its command does as well, only later

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            HostError: The machine lacks something.
            EngineError: It ended, or did not answer in time; the message holds its last lines.
        """
        self._set("starting")
        began = time.monotonic()
        self._last.clear()
        try:
            started = self._process = await self._launch()
            self._around.ground.guardian.watch(started)
            self._set("starting", pid=started.pid, born=started.born)
            self.addresses = await self._answering(started)
        except BaseException as error:
            await self._abandon()
            self._failures += 1
            if isinstance(error, ShoalError):
                self._set("failed", reason=error.message.partition("\n")[0].partition("; its last")[0], pid=0)
            raise
        self._ready_at = time.monotonic()
        address = next(iter(self.addresses.values()), "")
        self._set("ready", ready_after=round(self._ready_at - began, 3), address=address, reason="")

    def keep(self) -> None:
        """Watch it from now on and start it again whenever it ends."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    def follow(self, recipe: Recipe) -> None:
        """Start it from now on as another recipe says; what runs is left alone."""
        self.job = replace(self.job, recipe=recipe)

    def hurry(self) -> None:
        """End a pause between two starts: something has changed that may help."""
        self._hurry.set()

    async def stop(self) -> None:
        """Stop keeping it, ask it to end and wait for that. One that has failed stays so."""
        failed = self.state.status == "failed"
        if not failed:
            self._set("stopping")
        await self._unkeep()
        await self._abandon()
        if not failed:
            self._set("stopped", pid=0, reason="")

    async def kill(self) -> None:
        """Stop keeping it and end it, with all its descendants, without asking."""
        await self._unkeep()
        if self._process is not None:
            await self._process.kill()

    async def _keep(self) -> None:
        while True:
            if self._process is not None:
                await self._ended(self._process)
            await self._pause()
            try:
                await self.start()
            except ShoalError as error:
                self._around.reporter.problem(self.state.name, str(error))
            else:
                self._around.reporter.solved(self.state.name)
                self._around.reporter.event(self.state.name, f"ready again in {self.state.ready_after * 1000:.0f} ms")

    async def _ended(self, running: Process) -> None:
        code = await running.wait()
        self._around.ground.guardian.forget(running)
        self._process = None
        steady = time.monotonic() - self._ready_at > STEADY_AFTER
        self._failures = 1 if steady else self._failures + 1
        reason = describe_exit(code)
        self._set("restarting", reason=reason, pid=0, restarts=self.state.restarts + 1)
        self._around.reporter.event(self.state.name, f"{reason}; starting it again")

    async def _pause(self) -> None:
        """Wait before the next start, unless told to hurry. A first failure costs next to nothing."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 20))
        seconds = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _launch(self) -> Process:
        await self.warm()
        if self._forked is not None:
            forked, self._forked = self._forked, None
            forked.go()
            return forked.process
        return await process.start(self._guarded(await self.job.recipe.prepare()), self._heard)

    async def _answering(self, started: Process) -> Addresses:
        recipe = self.job.recipe
        probing = asyncio.ensure_future(recipe.probe())
        ending = asyncio.ensure_future(started.wait())
        try:
            await self._first(probing, ending, within=recipe.ready_within)
            if ending.done():
                raise self._failed(f"{describe_exit(ending.result())} before it was ready")
            if not probing.done():
                asked = f" {recipe.asked}" if recipe.asked else ""
                raise self._failed(f"did not answer{asked} within {recipe.ready_within:g} s")
            return probing.result()
        finally:
            probing.cancel()
            ending.cancel()
            await asyncio.gather(probing, ending, return_exceptions=True)

    async def _first(self, *awaited: "asyncio.Future[Any]", within: float) -> None:
        """Wait for the first of these, and say so when that takes long."""
        soon = min(_PATIENCE, within)
        done, _ = await asyncio.wait(awaited, timeout=soon, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            asked = f" to answer {self.job.recipe.asked}" if self.job.recipe.asked else ""
            self._around.reporter.event(self.state.name, f"still waiting for it{asked}, up to {within:g} s")
            await asyncio.wait(awaited, timeout=within - soon, return_when=asyncio.FIRST_COMPLETED)

    def _failed(self, what: str) -> EngineError:
        words = without_machinery("\n".join(_words(text) for text in self._last))
        said = "\n".join(f"  | {line}" for line in words.splitlines())
        message = f"{self.state.name} {what}"
        hint = next((hint for sign, hint in _CAUSES if sign in words), "")
        hint = hint or "; ".join(filter(None, (self.job.recipe.hint, f"its whole log: {self.state.log}")))
        return EngineError(f"{message}; its last lines:\n{said}" if said else message, hint=hint)

    async def _unkeep(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _abandon(self) -> None:
        """End whatever process there is."""
        if self._forked is not None:
            forked, self._forked = self._forked, None
            forked.give_up()
            await forked.process.wait()
        running, self._process = self._process, None
        if running is not None:
            await running.stop()
            self._around.ground.guardian.forget(running)

    def _guarded(self, command: Command) -> Command:
        self.command = command
        return replace(command, env={**command.env, **self._around.ground.guardian.environment})

    def _heard(self, line: str) -> None:
        self._last.append(line)
        self._around.ground.log(self.state.name).write(line)
        self._around.reporter.line(self.state.name, line)

    def _set(self, status: Status, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, status=status, **changes)
        self._around.reporter.changed(self.state)
        self._around.changed()


def without_machinery(text: str) -> str:
    """Leave out the lines of a traceback that show how Python imports."""
    return "\n".join(line for line in text.splitlines() if not line.startswith('  File "<frozen '))


def _words(line: str) -> str:
    """Reduce a JSON line to what people need of it."""
    if not line.startswith("{"):
        return line
    common, fields = parse(line.encode())
    return "\n".join(filter(None, (common.message, str(fields.get("error", "")))))
