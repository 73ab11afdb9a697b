"""Locks on documents, kept as documents: taken one after another, freed by the commit, lost when nobody renews them.

A commit demands that every lock of its transaction is still its own, so that a holder who was frozen, and whose lock
went to somebody else, changes nothing.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from shoal.drivers.base import Query
from shoal.drivers.base.documents.engine import Engine, Write
from shoal.drivers.base.documents.tables import WAITS
from shoal.drivers.base.documents.turns import LONG
from shoal.errors import Contended, EngineError

_log = logging.getLogger("shoal.locks")

LIFE = 8.0
"""Seconds for which a lock stays its owner's without being renewed."""

BEAT = 1.5
"""Seconds between renewals."""

PATIENCE = 30.0
"""Seconds to wait for a lock."""

SHORTEST, LONGEST = 0.003, 0.1
"""Seconds between two looks at a lock that somebody else holds."""


class Keeper:
    """Renews the locks of a process' transactions that take long; of most, it never hears twice."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._owners: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def keep(self, owner: str) -> None:
        """Renew the locks of an owner from now on."""
        self._owners.add(owner)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def drop(self, owner: str) -> None:
        """Renew them no longer."""
        self._owners.discard(owner)

    def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._owners:
            await asyncio.sleep(BEAT)  # in which most of them end
            try:
                async with asyncio.timeout(BEAT):
                    await self._engine.renew([*self._owners], LIFE)
            except (EngineError, TimeoutError):
                continue  # the commit tells whether they were lost
            except Exception:  # noqa: BLE001 - others' locks are still to be renewed
                _log.exception("locks were not renewed, trying again in %.1f s", BEAT)


async def take(engine: Engine, name: str, owner: str, *, holding: bool) -> None:
    """Wait until `owner` holds a lock.

    Raises:
        Contended: Its holder waits for a lock of `owner`, or keeps it for too long.
    """

    async def holder() -> str:
        return await engine.take(name, owner, LIFE)

    await _wait(engine, name, owner, holder, holding=holding)


async def try_take(engine: Engine, name: str, owner: str) -> bool:
    """Take a lock if nobody else has it."""
    return await engine.take(name, owner, LIFE) == owner


async def free(engine: Engine, names: Sequence[str], owner: str, *, holding: bool) -> None:
    """Wait until nobody else holds any of the locks; raises as `take` does."""
    for name in [name for name, holder in (await engine.holders(names)).items() if holder != owner]:

        async def holder(name: str = name) -> str:
            return (await engine.holders([name])).get(name, owner)

        await _wait(engine, name, owner, holder, holding=holding)


async def _wait(engine: Engine, name: str, owner: str, holder: Callable[[], Awaitable[str]], *, holding: bool) -> None:
    """Ask again and again who holds a lock, until it is us; who holds others, or waits for long, says for what."""
    if await holder() == owner:
        return
    pause, said, began = SHORTEST, False, time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            while (other := await holder()) != owner:
                if not said and (holding or time.monotonic() - began > LONG):
                    said = True
                    await engine.commit([Write(table=WAITS, key=owner, row={"owner": owner, "lock": name})])
                if holding and await _leads_back(engine, other, owner):
                    raise Contended(f"deadlock over {name!r}", hint="try the whole transaction again")
                pause = await _rest(pause)
    except TimeoutError:
        raise Contended(f"{name!r} was held for more than {PATIENCE:g} s", hint="try again later") from None
    finally:
        if said:
            with contextlib.suppress(EngineError):
                await engine.commit([Write(table=WAITS, key=owner, row=None)])


async def _rest(pause: float) -> float:
    await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - spreads those who wait
    return min(LONGEST, pause * 1.5)


async def _leads_back(engine: Engine, holder: str, owner: str) -> bool:
    """Follow holders to what they wait for; of a ring, the one with the last name gives way."""
    ring = [owner]
    while holder != owner:
        if holder in ring:
            return False
        ring.append(holder)
        waits = await engine.search(WAITS, Query(where={"owner": holder}))
        if not waits:
            return False
        wanted = str(waits[0].row["lock"])
        holder = (await engine.holders([wanted])).get(wanted, "")
    return owner == max(ring)
