"""What comes again, late, to the wrong replica, or cannot be handled: nothing is lost and nothing happens twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from shoal import (
    CallFailed,
    Conflict,
    Duplicate,
    Postgres,
    Service,
    ShoalError,
    System,
    Transaction,
    Unavailable,
    anyone,
    event,
    record,
)
from shoal.drivers.base import Mark, Message, Outcome, Query
from shoal.errors import Undeclared
from shoal.model.names import remembered
from shoal.runtime.consuming.attempts import ATTEMPTS
from shoal.runtime.consuming.tenure import STRANGE_SECONDS
from shoal.runtime.envelope import LARGEST, unpack
from shoal.runtime.tables import table_of
from tests.runtime.world import World, running

LONG = 121.0
"""Seconds after which the broker no longer knows an id, and the longest pause is over."""


@event("shop.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


@record("notes", key="id")
class Note(msgspec.Struct, frozen=True, kw_only=True):
    id: str


@dataclass
class Post:
    """Something that no rollback undoes."""

    sent: list[str] = field(default_factory=list)


shop = Service("shop", store=Postgres(), publishes=[Sold])
notes = Service("notes", store=Postgres())
mails = Service("mails", store=Postgres())
system = System("t", services=[shop, notes, mails])
failures: list[Exception] = []
attempts: list[str] = []


@shop.post("/sales", access=anyone)
async def sell(id: str, tx: Transaction) -> None:
    tx.publish(Sold(id))


@notes.on(Sold, attempts=3)
async def note(event: Sold, tx: Transaction) -> None:
    attempts.append(event.id)
    if failures:
        raise failures.pop(0)
    tx.insert(Note(id=event.id))


@mails.provide
def post_office() -> Post:
    return Post()


@mails.on(Sold)
async def mail(event: Sold, tx: Transaction, post: Post) -> None:
    post.sent.append(event.id)
    tx.put(Note(id=event.id))


@pytest.fixture(autouse=True)
def clean() -> None:
    failures.clear()
    attempts.clear()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(system, tmp_path) as found:
        yield found


async def patiently(world: World, done: Callable[[], bool]) -> None:
    """Let time pass until something is so."""
    async with asyncio.timeout(10):
        while not done():
            world.clock.advance(LONG)
            await asyncio.sleep(0.001)


async def again(world: World) -> None:
    """Deliver once more what the stream already has, as after a broker that forgot an acknowledgement."""
    (message,) = world.broker.log("T_SHOP")
    world.clock.advance(LONG)
    await world.broker.publish([message])
    await world.settle()


async def test_a_repetition_sends_no_second_mail(world: World) -> None:
    sent: Post = world.hosts["mails"]._values[Post]
    await world.post("/sales?id=a")
    await world.settle()
    assert sent.sent == ["a"]
    await again(world)
    assert sent.sent == ["a"]


@pytest.mark.parametrize(
    "met",
    [Conflict("a row of the first time was met before the mark"), ValueError("nothing is left to sell")],
    ids=["row", "state"],
)
async def test_a_repetition_that_meets_the_effect_of_the_first_time_is_no_poison(world: World, met: Exception) -> None:
    await world.post("/sales?id=a")
    await world.settle()
    failures.append(met)
    await again(world)
    assert not world.dead("notes")
    assert attempts == ["a", "a"]


async def test_nothing_stays_written_of_attempts_at_what_was_handled_elsewhere(world: World) -> None:
    failures.append(ShoalError("not yet"))
    await world.post("/sales?id=a")
    async with asyncio.timeout(10):
        while not await written(world):  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.001)
    envelope = unpack(world.broker.log("T_SHOP")[0])
    assert isinstance(envelope.time, datetime)
    async with world.stores["notes"].session() as session:
        session.accept(Mark(consumer=remembered(envelope.type), message_id=envelope.id, at=envelope.time))
    await patiently(world, world.broker.idle)
    assert await written(world) == []


async def written(world: World) -> list[str]:
    """List the states of the messages of which attempts are written."""
    async with world.stores["notes"].session() as session:
        rows = await session.find(ATTEMPTS.table, Query())
    return [str(row["state"]) for row in rows if row["state"] != "held"]


async def test_a_duplicate_of_something_else_is_a_failure_like_others(world: World) -> None:
    failures.append(Duplicate("the provider knows this key"))
    await world.post("/sales?id=a")
    await patiently(world, lambda: len(attempts) == 2)
    await world.settle()
    async with world.stores["notes"].session() as session:
        assert await session.count(table_of(Note).table, {}) == 1


@pytest.mark.parametrize(
    "absent",
    [Unavailable("no store"), CallFailed("x.y", detail="no answer"), CallFailed("x.y", status=503)],
    ids=["engine", "no answer", "503"],
)
async def test_an_outage_uses_up_no_attempts(world: World, absent: Exception) -> None:
    failures.extend([absent] * 10)
    failures.extend([ShoalError("too early")] * 2)
    await world.post("/sales?id=a")
    await patiently(world, lambda: len(attempts) == 13)
    await world.settle()
    assert not world.dead("notes")


async def test_a_handler_that_fails_for_its_own_reasons_ends_as_a_dead_letter(world: World) -> None:
    failures.extend([ShoalError("never\x00 \x1b[31m \ud800 again")] * 3)
    await world.post("/sales?id=a")
    await patiently(world, lambda: bool(world.dead("notes")))
    (letter,) = world.letters("notes")
    assert letter.error == "ShoalError: never [31m ? again"
    assert [one.replica for one in letter.history] == ["0"] * 3


async def test_a_letter_that_nobody_may_write_waits_and_holds_up_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish, refused = world.broker.publish, list[str]()

    async def refusing(messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        if len(refused) < 3 and ".dead." in messages[0].subject:
            refused.append(messages[0].id)
            return [Undeclared("no stream takes it")]
        outcomes: Sequence[Outcome] = await publish(messages, after=after)
        return outcomes

    monkeypatch.setattr(world.broker, "publish", refusing)
    failures.extend([ShoalError("never")] * 3)
    await world.post("/sales?id=a")
    await patiently(world, lambda: bool(world.dead("notes")))
    assert len(refused) == 3
    assert attempts == ["a"] * 3
    assert "broke off" not in caplog.text


async def test_an_event_that_only_newer_code_knows_waits_for_it(world: World) -> None:
    subscribers = world.hosts["notes"]._subscribers
    newer = dict(subscribers)
    subscribers.clear()
    await world.post("/sales?id=a")
    for _ in range(3):
        world.clock.advance(STRANGE_SECONDS / 4)
        await asyncio.sleep(0.01)
    assert not world.dead("notes")
    subscribers.update(newer)
    await patiently(world, lambda: attempts == ["a"])
    assert not world.dead("notes")


async def test_an_event_that_nobody_knows_ends_as_a_dead_letter(world: World) -> None:
    world.hosts["notes"]._subscribers.clear()
    await world.post("/sales?id=a")
    await patiently(world, lambda: bool(world.dead("notes")))
    (message,), (letter,) = world.dead("notes"), world.letters("notes")
    assert letter.error == "nothing handles shop.sold.v1"
    assert unpack(message).type == "shop.sold.v1"


async def test_an_event_that_no_broker_would_take_is_refused_before_it_can_hold_up_the_outbox(world: World) -> None:
    answer = await world.post("/sales?id=" + "x" * LARGEST)
    assert answer.status == 500
    assert (await world.stores["shop"].backlog()).count == 0
    await world.post("/sales?id=a")
    await world.settle()
    assert attempts == ["a"]
