"""What the operating system and the interpreter know of this process."""

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from shoal.runtime.metrics.registry import Metrics
from shoal.telemetry.histogram import Histogram
from shoal.telemetry.measures import Point

_OWN = Path("/proc/self")
_PAUSE = 0.5
"""Seconds of the timer whose lateness is measured."""


def watch_process(metrics: Metrics) -> None:
    """Let the metrics tell of the process; memory and files only where there is a ``/proc``."""
    since = time.monotonic()
    metrics.watch("process.cpu.time", _cpu)
    metrics.watch("process.thread.count", threading.active_count)
    metrics.watch("process.uptime", lambda: time.monotonic() - since)
    if _OWN.exists():
        metrics.watch("process.memory.usage", _resident)
        metrics.watch("process.unix.file_descriptor.count", lambda: len(os.listdir(_OWN / "fd")))  # noqa: PTH208 - no paths are needed
    for name, key in (
        ("cpython.gc.collections", "collections"),
        ("cpython.gc.collected_objects", "collected"),
        ("cpython.gc.uncollectable_objects", "uncollectable"),
    ):
        metrics.watch(name, _collections(key))


@asynccontextmanager
async def watching(metrics: Metrics) -> AsyncIterator[None]:
    """Let the metrics tell of the process and of its event loop for the time of the block."""
    watch_process(metrics)
    timer = asyncio.create_task(_watch_loop(metrics.histogram("shoal.loop.lag")))
    try:
        yield
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)


async def _watch_loop(lag: Histogram) -> None:
    """Measure until cancelled how late the event loop is for a timer: what blocks it makes everything wait."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PAUSE
        await asyncio.sleep(_PAUSE)
        lag.record(max(0.0, loop.time() - due))


def _cpu() -> Iterable[Point]:
    used = os.times()
    yield Point((("cpu.mode", "user"),), used.user)
    yield Point((("cpu.mode", "system"),), used.system)


def _resident() -> float:
    pages = int((_OWN / "statm").read_text("ascii").split()[1])  # proc(5): the second number is the resident set
    return pages * os.sysconf("SC_PAGE_SIZE")


def _collections(key: str) -> Callable[[], Iterable[Point]]:
    def read() -> Iterable[Point]:
        for generation, found in enumerate(gc.get_stats()):
            yield Point((("cpython.gc.generation", generation),), found[key])

    return read
