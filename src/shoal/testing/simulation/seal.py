"""Cut a simulation off from the real world: time and chance come from the simulation, threads and sockets do not."""

import gc
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from unittest.mock import patch

from shoal.errors import ShoalError
from shoal.testing.simulation.loop import VirtualLoop

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""When every simulation begins."""


class VirtualClock:
    """The time of a simulation, as `shoal.Clock`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the present, in UTC."""
        return BEGINNING + timedelta(seconds=self._loop.time())


@contextmanager
def sealed(loop: VirtualLoop, seed: str) -> Iterator[None]:
    """Replace clocks and randomness of the standard library for the time of the block, and refuse threads and sockets.

    The module `random` is seeded and gets its state back afterwards, so that names imported from it obey as well.
    """
    chance = random.Random(f"{seed}/urandom")
    state = random.getstate()
    random.seed(f"{seed}/random")
    collecting = gc.isenabled()
    gc.disable()  # or the end of unreachable objects would come at times of its own
    try:
        with ExitStack() as patches:
            for target, name, value in _replacements(loop, chance):
                patches.enter_context(patch.object(target, name, value))
            yield
    finally:
        random.setstate(state)
        if collecting:
            gc.enable()


def _replacements(loop: VirtualLoop, chance: random.Random) -> Iterator[tuple[Any, str, Any]]:
    now, epoch = loop.time, BEGINNING.timestamp()
    for name in ("monotonic", "perf_counter"):
        yield time, name, now
        yield time, f"{name}_ns", lambda: int(now() * 1e9)
    yield time, "time", lambda: epoch + now()
    yield time, "time_ns", lambda: int((epoch + now()) * 1e9)
    yield time, "sleep", _refuse("sleep, which stops the whole process")
    yield os, "urandom", chance.randbytes
    yield random, "_urandom", chance.randbytes
    yield uuid, "uuid4", lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
    yield threading.Thread, "start", _refuse("a thread")
    yield socket, "socket", _refuse("a socket")


def _refuse(what: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_more: object) -> NoReturn:
        raise ShoalError(f"the simulation reached for {what}", hint="give the service a fake that needs none")

    return refuse
