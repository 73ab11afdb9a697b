"""Roles, databases, streams and consumers: declared through the drivers before services start.

What was declared is noted beside the engine's data, so that a second start with the same plan and passwords needs no
connection at all.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from shoal.drivers import broker_admin, objects_admin, store_admin
from shoal.drivers.base import Account, Consumer, Stream
from shoal.errors import ShoalError
from shoal.local.environment import operator_url, store_operator_url
from shoal.local.host import private_file
from shoal.local.servers.table import SERVERS
from shoal.local.site import World
from shoal.model import catalog
from shoal.model.messages import LARGEST_MESSAGE
from shoal.model.plan import Plan

WATCH_SECONDS = 1.0
"""Pause between two looks for streams and consumers that are gone."""

_log = logging.getLogger("shoal.local")


def accounts(plan: Plan, world: World, server: str) -> tuple[Account, ...]:
    """List the databases of a local server, each with its own role."""
    kept = [(s.store.engine, s.store.role, s.store.database) for s in plan.services if s.store is not None]
    kept += [(s.search.engine, s.search.role, s.search.database) for s in plan.services if s.search is not None]
    roles = {role: base for engine, role, base in kept if catalog.server(engine) == server}
    return tuple(
        Account(database=base, role=role, password=world.passwords.stores[role]) for role, base in roles.items()
    )


def streams(plan: Plan) -> tuple[tuple[Stream, ...], tuple[Consumer, ...]]:
    """List the streams and the durable consumers of a plan."""
    logs = tuple(
        Stream(name=s.name, subjects=s.subjects, age=0.0)
        if s.letters
        else Stream(name=s.name, subjects=s.subjects, largest=LARGEST_MESSAGE)
        for s in plan.streams
    )
    consumers = tuple(
        Consumer(stream=c.stream, name=c.durable, subjects=c.subjects, ack_wait=c.ack_wait)
        for s in plan.services
        if s.broker is not None
        for c in s.broker.consumers
    )
    return logs, consumers


async def declare_stores(plan: Plan, world: World, server: str, note: Path) -> None:
    """Declare every role and database of a local server."""
    wanted = accounts(plan, world, server)
    url = store_operator_url(world, server)
    await _once(note, wanted, lambda: store_admin(url).declare(wanted))


async def declare_objects(plan: Plan, world: World, server: str) -> None:
    """Make the places of the services' objects at a local server, at every start: one that was killed may lack some."""
    address = SERVERS[server].objects_operator
    assert address is not None, f"{server} keeps objects"  # noqa: S101
    kept = [s.objects for s in plan.services if s.objects is not None and catalog.server(s.objects.engine) == server]
    for one in kept:
        await objects_admin(address(world, one)).declare([one.bucket])


async def declare_broker(plan: Plan, world: World, note: Path) -> None:
    """Declare every stream and consumer."""
    logs, consumers = streams(plan)
    admin = broker_admin(operator_url(world))
    if world.broker_url or "durable" in catalog.engine(world.broker).lacking_here:  # it may be another, or empty
        await admin.declare(logs, consumers)
    else:
        await _once(note, (logs, consumers), lambda: admin.declare(logs, consumers))


async def watch_broker(plan: Callable[[], Plan], world: World, said: Callable[[str], None]) -> None:
    """Declare streams and consumers again whenever some are gone: deleted, or lost with the broker's store."""
    admin = broker_admin(operator_url(world))
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        logs, consumers = streams(plan())
        try:
            lost, gone = await admin.missing(logs, consumers)
            if lost or gone:
                await admin.declare(lost, gone)
        except ShoalError as error:  # it is restarted by others
            _log.debug("cannot look for missing streams: %s", error)
        else:
            if lost or gone:
                names = [s.name for s in lost] + [f"{c.stream}/{c.name}" for c in gone]
                said(f"declared again, since gone: {', '.join(names)}")


async def _once(note: Path, wanted: Sequence[object], declare: Callable[[], Awaitable[None]]) -> None:
    digest = hashlib.sha256(msgspec.json.encode(wanted, order="deterministic")).hexdigest()
    if _noted(note) != digest:
        private_file(note, "")  # until all is declared, nothing is known
        await declare()
        private_file(note, digest)


def _noted(note: Path) -> str:
    try:
        return note.read_text("ascii")
    except OSError:
        return ""
