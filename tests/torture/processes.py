"""The processes of a running shop, for who wants to hurt them."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable

from shoal.local import reaper
from shoal.local.state import ProcessState
from shoal.testing import LiveSystem

BACK = 60.0
"""Seconds within which everything must be ready again."""


async def find(shop: LiveSystem, name: str) -> ProcessState:
    """Find a process while it lives; one that is being started again is waited for."""
    await until(lambda: bool(shop.process(name).pid), f"{name} to have a process")
    return shop.process(name)


def names(shop: LiveSystem, *, service: str = "") -> list[str]:
    """List the replicas of a service, or of all services."""
    found = [p for p in shop.state.processes if p.kind == "service"]
    return [p.name for p in found if service in ("", p.service)]


async def kill(shop: LiveSystem, name: str) -> None:
    """Kill a process, with everything that it started, at once."""
    process = await find(shop, name)
    family = reaper.family(process.pid)
    for pid in (process.pid, *(family - {process.pid})):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def freeze(shop: LiveSystem, name: str, seconds: float) -> None:
    """Stop a process, with everything that it started, for so long."""
    process = await find(shop, name)
    family = reaper.family(process.pid)
    send(family, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        send(family, signal.SIGCONT)


def send(pids: set[int], number: signal.Signals) -> None:
    """Send a signal to those who still live."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def all_ready(shop: LiveSystem) -> float:
    """Wait until every process is ready; return the seconds that took."""
    began = time.monotonic()
    await until(lambda: all(p.status == "ready" for p in shop.state.processes), "every process to be ready")
    return time.monotonic() - began


async def until(check: Callable[[], bool], what: str, within: float = BACK) -> None:
    """Look again until it is so."""
    try:
        async with asyncio.timeout(within):
            while not check():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {within:g} s for {what}") from None
