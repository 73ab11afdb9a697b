"""A secret in headers, bodies, queries, settings and parameters of SQL is in nothing that is exported."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from shoal import (
    Issuer,
    Postgres,
    Secret,
    Service,
    Settings,
    System,
    Trace,
    Transaction,
    anyone,
    contract,
    event,
    post,
    signed_in,
)
from shoal.runtime.logs import JournalHandler
from tests.runtime.world import World, running
from tests.telemetry.received import bodies, spans_of

CANARY = "c4n4ry-p4ssw0rd"
log = logging.getLogger("tests.secrets")


class Keys(Settings, frozen=True, kw_only=True):
    card: Secret


class SignIn(msgspec.Struct, frozen=True):
    name: str
    password: str


@event("back.done")
class Done(msgspec.Struct, frozen=True):
    password: str


@contract("back")
class BackApi(Protocol):
    @post("/work", access=signed_in)
    async def work(self, order: SignIn) -> None: ...


front = Service("front", settings=Keys)
back = Service("back", store=Postgres(), contracts=[BackApi], publishes=[Done])
sink = Service("sink", store=Postgres())


@front.post("/sign-in", access=signed_in)
async def sign_in(order: SignIn, api: BackApi, keys: Keys, trace: Trace) -> None:
    log.warning("paying with %s and %r", keys.card.reveal(), keys.card, extra={"password": order.password})
    trace.set("user.password", order.password)
    trace.set("card", keys.card.reveal())
    with trace.span(f"pay with {keys.card.reveal()}"):
        await api.work(order)


@front.post("/broken", access=anyone)
async def broken(order: SignIn, keys: Keys) -> None:
    raise ValueError(f"cannot pay with {keys.card.reveal()}")


@back.implements(BackApi.work)
async def work(order: SignIn, tx: Transaction) -> None:
    tx.publish(Done(order.password))


@sink.on(Done, attempts=1)
async def done(event: Done, tx: Transaction) -> None:
    raise ValueError("it cannot be done")


system = System("sys", services=[front, back, sink], issuer=Issuer(front, audience="sys"))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "FRONT__CARD": CANARY}
    async with running(system, tmp_path, **environ) as world:
        handlers = log.handlers
        log.handlers, log.propagate = [JournalHandler(world.journals["front"])], False
        yield world
        log.handlers, log.propagate = handlers, True


async def test_nothing_that_is_exported_holds_a_secret(world: World) -> None:
    headers = {"cookie": f"session={CANARY}", "x-password": CANARY}
    body, token = SignIn("ann", CANARY), world.token("ann", note=CANARY)
    assert (await world.post(f"/sign-in?token={CANARY}", json=body, token=token, headers=headers)).status == 204
    assert (await world.post(f"/broken?token={CANARY}", json=body, headers=headers)).status == 500
    async with asyncio.timeout(10):
        while not world.dead("sink"):  # noqa: ASYNC110 - as of `settle`
            await asyncio.sleep(0.001)
    recorders = [recorder for recorder in world.recorders.values() if recorder is not None]
    traces = [body for recorder in recorders for body in bodies(recorder.spans)]
    lines = [body for recorder in recorders for body in bodies(recorder.logs)]
    names = {span.name for body in traces for span in spans_of(body)}
    assert {"POST /sign-in", "POST /broken", "pay with ***", "POST /work", "process back.done.v1"} <= names
    for told in (*traces, *lines):
        assert CANARY.encode() not in told
        assert token.encode() not in told
    assert CANARY not in str(world.lines())
