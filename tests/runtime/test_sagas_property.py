"""Any saga, whatever its steps and compensations meet, ends, is undone or waits for a person; nothing is half done."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal import Postgres, Saga, Service, StepRefused, Transaction, Unavailable, anyone, pivot, record, retriable, step
from shoal.drivers.base import Query
from shoal.drivers.memory import MemoryStore
from shoal.runtime.asgi import request
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.sagas.housekeeping import journal
from shoal.runtime.sagas.instances import SAGAS_TABLE, Entry, Instance, from_row
from shoal.runtime.tables import table_of

ATTEMPTS = 3


@record("effects", key="name")
class Effect(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    trail: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a random saga, and what its attempts meet, one after the other; then all is well."""

    name: str
    kind: str
    outside: bool
    work: tuple[str, ...]
    undo: tuple[str, ...]


MEETS = ("before", "after", "crash", "crash after", "away")
"""Fails before or after its effect outside; the process dies before or after it; something is away."""

meetings = st.lists(st.sampled_from((*MEETS, "before", "after", "refused")), max_size=5).map(tuple)


@st.composite
def sagas(draw: st.DrawFn) -> tuple[Part, ...]:
    kinds = ["compensatable"] * draw(st.integers(0, 4)) + ["pivot"] * draw(st.integers(0, 1))
    kinds += ["retriable"] * draw(st.integers(0 if kinds else 1, 2))
    return tuple(
        Part(
            name=f"s{number}",
            kind=kind,
            outside=draw(st.booleans()),
            work=draw(meetings) if draw(st.booleans()) else (),
            undo=draw(meetings) if draw(st.booleans()) else (),
        )
        for number, kind in enumerate(kinds)
    )


class Outside:
    """The world outside of the store."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.effects: set[str] = set()
        self.undone: list[str] = []
        self.pending: dict[str, list[str]] = {p.name: [*p.work] for p in parts}
        self.pending |= {f"un{p.name}": [*p.undo] for p in parts}

    def meet(self, name: str, part: Part) -> None:
        meets = self.pending[name].pop(0) if self.pending[name] else "well"
        if meets in ("before", "refused", "crash", "away"):
            raise {"before": ValueError, "refused": StepRefused, "crash": asyncio.CancelledError, "away": Unavailable}[
                meets
            ](name)
        if part.outside and name.startswith("un"):
            self.effects.discard(part.name)
        elif part.outside:
            self.effects.add(part.name)
        if meets != "well":
            raise asyncio.CancelledError(name) if meets == "crash after" else ValueError(name)


def build(parts: tuple[Part, ...], outside: Outside) -> Service:
    service = Service("random", store=Postgres())
    service.module = __name__
    globals()["random_service"] = service
    service.provide(_provider(outside))
    members: dict[str, Any] = {}
    for part in parts:
        members[f"un{part.name}"] = undo = _work(part, outside, undoing=True)
        work = _work(part, outside, undoing=False)
        bounds: dict[str, Any] = {"attempts": ATTEMPTS, "backoff": 0.0}
        if part.kind == "compensatable":
            members[part.name] = step(compensate=undo, **bounds)(work)
        else:
            members[part.name] = (pivot if part.kind == "pivot" else retriable)(**bounds)(work)
            del members[f"un{part.name}"]
    kind = _class(members)
    service.saga("random")(kind)

    @service.post("/begin", access=anyone)
    async def begin(tx: Transaction) -> None:
        await tx.start(kind, Known(), key="it")

    return service


def _class(members: Mapping[str, Any]) -> type[Saga[Known]]:
    class Random(Saga[Known]):
        vars().update(members)

    return Random


def _provider(outside: Outside) -> Any:
    def provide() -> Outside:
        return outside

    return provide


def _work(part: Part, outside: Outside, *, undoing: bool) -> Any:
    name = f"un{part.name}" if undoing else part.name

    async def contained(self: Saga[Known], state: Known, tx: Transaction) -> Known:
        outside.meet(name, part)
        if undoing:
            tx.delete(Effect, part.name)
            outside.undone.append(part.name)
        else:
            tx.put(Effect(name=part.name))
        return Known(trail=(*state.trail, name))

    async def reaching(self: Saga[Known], state: Known, tx: Transaction, world: Outside) -> Known:
        return await contained(self, state, tx)

    work = reaching if part.outside else contained
    work.__name__ = name
    return work


async def run(parts: tuple[Part, ...]) -> tuple[Instance, list[Entry], Outside, set[str]]:
    outside, store = Outside(parts), MemoryStore()
    service = build(parts, outside)
    config = ServiceConfig(system="test", entry=service.entry, drain=1.0)
    host = Host(service, config, Fittings(transport=LocalTransport(), store=store))
    await host.start()
    try:
        status, _, answer = await asyncio.create_task(request(host, "POST", "/begin", {}, b""))
        assert status == 204, answer
        async with asyncio.timeout(20):
            while True:
                async with store.session() as session:
                    row = await session.get(SAGAS_TABLE, "random/it")
                    assert row is not None
                    found, entries = from_row(row), await journal(session, "random/it")
                    kept = {str(e["name"]) for e in await session.find(table_of(Effect).table, Query())}
                if not found.is_active:
                    return found, entries, outside, kept
                await asyncio.sleep(0.001)
    finally:
        await host.stop()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sagas())
def test_nothing_is_half_done(parts: tuple[Part, ...]) -> None:
    logging.getLogger("shoal.sagas").setLevel(logging.CRITICAL)
    try:
        ended, entries, outside, kept = asyncio.run(run(parts))
    finally:
        logging.getLogger("shoal.sagas").setLevel(logging.NOTSET)
    names = [part.name for part in parts]
    reaching = {part.name for part in parts if part.outside}
    assert [e.number for e in entries] == [*range(1, ended.version + 1)], "every change is in the journal, once"
    undone = [e.step for e in entries if e.direction == "backward" and e.outcome == "done"]
    assert undone == sorted(undone, key=names.index, reverse=True), "in reverse"
    assert len(set(undone)) == len(undone), "once each"
    passed = [e.step for e in entries if e.direction == "forward" and e.outcome == "done"]
    assert passed == names[: len(passed)], "in order, once each"
    beyond = {part.name for part in parts if part.kind != "compensatable"}
    assert not (beyond & {*passed} and undone), "nothing is undone beyond the point of no return"
    if ended.status == "completed":
        assert (passed, undone, kept, outside.effects) == (names, [], {*names}, reaching)
    elif ended.status == "compensated":
        assert {*passed} <= {*undone}
        assert (kept, outside.effects - beyond) == (set(), set())
    else:
        assert (ended.status, ended.due) == ("parked", None)
        assert ended.error
        assert ended.step in names
