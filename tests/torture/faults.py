"""What is done to the shop, each fault by its name."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shoal.audit import Subject
from shoal.errors import EngineError
from shoal.testing import LiveSystem
from tests.torture import processes
from tests.torture.copies import Copies

FROZEN = 20.0
"""Seconds that a process is stopped, as by a long pause of garbage collection or of the machine."""

BATCH = 10
"""Events that are to wait when who relays them is killed."""

_PRODUCERS = ("orders", "payments", "inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where faults happen."""

    shop: LiveSystem
    chance: random.Random
    copies: Copies
    subject: Subject


Fault = Callable[[Field], Awaitable[str]]
"""Happens, and says to whom."""


async def kill_service(field: Field) -> str:
    """Kill a replica of any service."""
    name = field.chance.choice(processes.names(field.shop))
    await processes.kill(field.shop, name)
    return name


async def kill_relay(field: Field) -> str:
    """Kill who relays, with a batch on its way: once others are back, the broker is held still until events wait."""
    await processes.all_ready(field.shop)
    service = field.chance.choice(_PRODUCERS)
    broker = (await processes.find(field.shop, "nats")).pid
    processes.send({broker}, signal.SIGSTOP)
    try:
        waiting = await _some_waiting(field.subject, service)
        for name in processes.names(field.shop, service=service):
            await processes.kill(field.shop, name)
    finally:
        processes.send({broker}, signal.SIGCONT)
    return f"{service} with {waiting} events under way"


async def kill_broker(field: Field) -> str:
    """Kill NATS."""
    await processes.kill(field.shop, "nats")
    return "nats"


async def kill_store(field: Field) -> str:
    """Kill PostgreSQL with all its processes."""
    await processes.kill(field.shop, "postgres")
    return "postgres"


async def kill_proxy(field: Field) -> str:
    """Kill Envoy."""
    await processes.kill(field.shop, "envoy")
    return "envoy"


async def kill_outside(field: Field) -> str:
    """Kill the payment provider's sandbox or the mailbox."""
    name = field.chance.choice(("payment-provider", "mailbox"))
    await processes.kill(field.shop, name)
    return name


async def restore_broker(field: Field) -> str:
    """Give the broker the store of up to a minute ago."""
    age = await field.copies.restore(field.chance.random())
    return f"nats, {age:.1f} s back"


async def freeze(field: Field) -> str:
    """Stop a service, the broker or the store for a while."""
    name = field.chance.choice([*processes.names(field.shop), "nats", "postgres"])
    await processes.freeze(field.shop, name, FROZEN)
    return name


async def kill_twice(field: Field) -> str:
    """Kill the same service twice in a row, the second time while it starts."""
    name = field.chance.choice(processes.names(field.shop))
    restarts = field.shop.process(name).restarts
    await processes.kill(field.shop, name)
    await processes.until(lambda: field.shop.process(name).restarts > restarts, f"{name} to start again")
    await processes.kill(field.shop, name)
    return name


async def _some_waiting(subject: Subject, service: str, within: float = 2.5) -> int:
    """Wait until some events wait in an outbox; say how many did when the time was up."""
    count = 0
    try:
        async with asyncio.timeout(within):
            while (count := (await subject.stores[service].backlog()).count) < BATCH:  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.005)
    except (TimeoutError, EngineError):
        pass
    return count


FAULTS: dict[str, Fault] = {
    "service": kill_service,
    "relay": kill_relay,
    "nats": kill_broker,
    "postgres": kill_store,
    "envoy": kill_proxy,
    "outside": kill_outside,
    "twice": kill_twice,
    "restore": restore_broker,
    "freeze": freeze,
}


async def strike(field: Field, name: str) -> str:
    """Let a fault happen; the name of a process means to kill that one."""
    if name in FAULTS:
        return await FAULTS[name](field)
    await processes.kill(field.shop, name)
    return name


KILLS = ("service", "relay", "nats", "postgres", "envoy")
"""The faults of every round."""
