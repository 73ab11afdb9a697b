"""Processes of a benchmark: started with a line of JSON on their standard output, ended by closing their input."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.load import Answer, Order

ROOT = Path(__file__).parent.parent
GENERATOR_CPU, SERVER_CPU = 0, 1
PATIENCE = 120.0
"""Seconds that anything may take."""

LONGEST = 1 << 24
"""Bytes of an answer."""

T = TypeVar("T")


class Worker:
    """One process that answers in lines of JSON."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    async def read(self, kind: type[T], within: float = PATIENCE) -> T:
        """Read its next line, waiting for `within` seconds."""
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"process {self.pid} of the benchmark ended (exit code {await self._process.wait()})")
        return msgspec.json.decode(line, type=kind)

    async def ask(self, order: object, kind: type[T], within: float = PATIENCE) -> T:
        """Send it one line and read the answer, waiting for `within` seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        return await self.read(kind, within)


@asynccontextmanager
async def worker(module: str, arguments: Sequence[str] = ()) -> AsyncIterator[Worker]:
    """Run ``python -m module`` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=LONGEST
    )
    try:
        yield Worker(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def generator(*, apart: bool = True) -> AsyncIterator[Worker]:
    """Run the load generator, on a processor of its own unless the servers need them all."""
    async with worker("bench.load", [str(GENERATOR_CPU)] if apart else []) as started:
        yield started


async def drive(load: Worker, order: Order) -> float:
    """Have an order carried out; return the seconds it took."""
    answer = await load.ask(order, Answer)
    if answer.failure:
        raise RuntimeError(f"the benchmark was given up: {answer.failure[:500]}")
    return answer.seconds
