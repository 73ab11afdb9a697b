"""Each promise, broken by hand: the audit names what is wrong, and nothing else."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal import Audit, Evidence, Postgres, Service, System, Unavailable, Verdict, event
from shoal.audit import Report, Subject, check
from shoal.audit.expectations import dead_letters, operations
from shoal.audit.leaks import Leaks
from shoal.audit.report import NAMED
from shoal.audit.subject import Text
from shoal.drivers.base import Consumer, Mark, Message, Receipt, Sent, Stream
from shoal.drivers.memory import MemoryBroker, MemoryStore
from shoal.errors import ShoalError
from shoal.model import plan
from shoal.model.target import MEMORY
from shoal.runtime.envelope import pack
from shoal.service.audit import Operation
from shoal.service.describe import describe
from shoal.service.marks import event_mark

NOW = datetime.now(UTC)


@event("till.rang", key="id")
class Rang(msgspec.Struct, frozen=True, kw_only=True):
    id: str


till = Service("till", store=Postgres(), publishes=[Rang])
books = Service("books", store=Postgres())


@books.on(Rang)
async def book(event: Rang) -> None: ...


@dataclass
class World:
    subject: Subject
    till: MemoryStore
    books: MemoryStore
    broker: MemoryBroker

    async def commit(self, number: int) -> Message:
        message = pack("shop", "till", event_mark(Rang), Rang(id=str(number)), now=NOW, trace=None)
        async with self.till.session() as session:
            session.publish(message)
        return message

    async def relay(self) -> None:
        async with self.till.outbox() as lease:
            rows = await lease.pending(100)
            sent = await self.broker.publish([row.message for row in rows])
            await lease.sent([Sent(position=r.position, sequence=s.sequence) for r, s in zip(rows, sent)])  # type: ignore[union-attr]  # noqa: B905

    async def handle(self, message: Message) -> None:
        async with self.books.session() as session:
            session.accept(Mark(consumer="till.rang", message_id=message.id, at=NOW))

    async def answer_all(self) -> None:
        for service in self.subject.plan.services:
            assert service.broker is not None
            for c in service.broker.consumers:
                consumer = Consumer(stream=c.stream, name=c.durable, subjects=c.subjects)
                for delivery in await self.broker.fetch(consumer, 100, 0):
                    await delivery.ack()

    async def violated(self, **changes: object) -> list[str]:
        report: Report = await check(replace(self.subject, **changes))  # type: ignore[arg-type]
        return [f"{o.code} {text}" for o in report.outcomes for text in o.violations]


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    declared = System("shop", services=[till, books])
    planned = plan(describe(declared), MEMORY)
    stores = {"till": MemoryStore(), "books": MemoryStore()}
    broker = MemoryBroker()
    consumers = [
        Consumer(stream=c.stream, name=c.durable, subjects=c.subjects)
        for s in planned.services
        if s.broker
        for c in s.broker.consumers
    ]
    await broker.declare([Stream(name=s.name, subjects=s.subjects) for s in planned.streams], consumers)
    subject = Subject(declared=declared, plan=planned, now=lambda: datetime.now(UTC), stores=stores, broker=broker)
    yield World(subject, stores["till"], stores["books"], broker)


async def _whole(world: World, count: int = 3) -> list[Message]:
    """Let some events go all their way."""
    messages = [await world.commit(number) for number in range(count)]
    await world.relay()
    for message in messages:
        await world.handle(message)
    await world.answer_all()
    return messages


async def test_a_sound_system_is_found_sound(world: World) -> None:
    await _whole(world)
    report = await check(world.subject, wait=1)
    assert report.held, report.complaints()
    assert report.in_flight == ""
    assert [dict(o.counts) for o in report.outcome("I7")] == [
        {"events": 3, "waiting": 0, "refused": 0},
        {"handled": 3, "unhandled": 0, "dead": 0},
        {"consumers": 5, "unanswered": 0},
    ]


async def test_an_event_that_stays_in_the_outbox_is_named(world: World) -> None:
    message = await world.commit(1)
    assert await world.violated() == [f"I7 {message.id} of till waits in the outbox"]


async def test_an_event_that_the_broker_refused_is_named(world: World) -> None:
    message = await world.commit(1)
    async with world.till.outbox() as lease:
        await lease.refuse((await lease.pending(1))[0].position, "too large")
    assert await world.violated() == [f"I7 {message.id} of till: too large was refused"]


async def test_an_event_without_its_inbox_mark_is_named(world: World) -> None:
    first = await world.commit(1)
    await world.relay()
    await world.answer_all()
    assert await world.violated() == [f"I7 {first.id} (till.rang) by books was not handled"]


async def test_an_unanswered_delivery_is_named(world: World) -> None:
    message = await world.commit(1)
    await world.relay()
    await world.handle(message)
    (text,) = await world.violated()
    assert text.startswith("I7 SHOP_TILL books-")
    assert text.endswith("is 1 behind")


async def test_what_the_broker_has_lost_is_named(world: World) -> None:
    messages = await _whole(world)
    await world.broker.remove("SHOP_TILL", [2])
    assert await world.violated() == [f"I12 {messages[1].id} of till, once at 2, is not in the stream"]


async def test_a_missing_stream_and_a_missing_consumer_are_named(world: World) -> None:
    empty = MemoryBroker()
    await empty.declare([Stream(name="SHOP_TILL", subjects=("shop.event.>",))], [])
    violated = await world.violated(broker=empty)
    assert "I12 SHOP_BOOKS_DEAD does not exist" in violated
    assert "I7 books-0 of stream SHOP_TILL has no consumer of its own" in violated


async def test_dead_letters_are_those_expected(world: World) -> None:
    first, second = await _whole(world, 2)
    letter = Message(id=f"{first.id}-books", subject="shop.dead.books", body=first.body)
    await world.broker.publish([letter])
    assert await world.violated() == [f"I10 {first.id} of books is a dead letter"]
    assert await world.violated(expected=frozenset({("books", first.id)})) == []
    both = frozenset({("books", first.id), ("books", second.id)})
    assert await world.violated(expected=both) == [f"I10 {second.id} of books is not among the dead letters"]


async def test_a_buried_event_need_not_be_handled(world: World) -> None:
    message = await world.commit(1)
    await world.relay()
    await world.answer_all()
    await world.broker.publish([Message(id=f"{message.id}-books", subject="shop.dead.books", body=message.body)])
    assert await world.violated(expected=frozenset({("books", message.id)})) == []


async def test_secrets_are_found_in_logs_and_events_and_never_repeated(world: World) -> None:
    await world.commit(1)
    leaked = Message(id="x", subject="shop.event.till.rang.v1.0", body=b'{"password": "correct horse"}')
    await world.broker.publish([leaked])
    log = Text(name="log till", lines=lambda: [b"fine", b"dsn=postgres://till:correct horse@"])
    violated = await world.violated(secrets={"password of till": "correct horse"}, texts=(log,))
    assert "I11 log till line 2: password of till" in violated
    assert "I11 stream SHOP_TILL at 1: password of till" in violated
    assert "correct horse" not in "".join(violated)


def test_signed_tokens_count_as_secrets_and_short_words_do_not() -> None:
    leaks = Leaks({"short": "abc", "long": "abcdefgh", "longer": "abcdefghij"})
    leaks.look("a", b"abc eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ." + b"x" * 60)
    leaks.look("b", b"abcdefghij")
    assert leaks.found == ["a: a signed token", "b: long", "b: longer"]


async def test_what_was_acknowledged_was_recorded_and_what_was_not_may_have_been(world: World) -> None:
    async with world.till.session() as session:
        session.answer(Receipt(key="ring\nada\none", fingerprint="", status=201, headers=(), body=b'{"id": 1}'))
        session.answer(Receipt(key="ring\nada\ntwo", fingerprint="", status=201, headers=(), body=b'{"id": 2}'))
    asked = Operation(service="till", endpoint="ring", caller="ada", key="one", status=201, body={"id": 1})
    kept = [
        asked,
        msgspec.structs.replace(asked, key="two", status=0, body=None),
        msgspec.structs.replace(asked, key="three", status=0, body=None),
        msgspec.structs.replace(asked, key="two"),
        msgspec.structs.replace(asked, key="four"),
        msgspec.structs.replace(asked, key="five", status=422),
    ]
    assert await world.violated(operations=tuple(kept)) == [
        "I9 two of ada: it was answered 201, and another answer was recorded (201)",
        "I9 four of ada: it was answered 201, and nothing was recorded",
    ]
    (outcome,) = (await check(replace(world.subject, operations=tuple(kept)))).outcome("I9")
    assert outcome.counts == {"acknowledged": 3, "indeterminate": 2, "refused": 1, "happened": 1}


async def test_events_older_than_the_window_are_left_alone(world: World) -> None:
    await world.commit(1)
    assert await world.violated(now=lambda: datetime.now(UTC) + timedelta(days=3)) == []


async def test_in_flight_is_waited_for_and_said(world: World) -> None:
    await world.commit(1)
    report = await check(world.subject, wait=0.01)
    assert report.in_flight == "1 events in outboxes"
    assert not report.held


async def test_a_system_adds_its_own_promises(world: World) -> None:
    async def broken(evidence: Evidence) -> Verdict:
        return Verdict(counts={"things": 30}, violations=tuple(f"thing {n}" for n in range(30)))

    async def elsewhere(evidence: Evidence) -> Verdict:
        await evidence.ask("mail", "/messages")
        raise AssertionError("unreachable")

    audits = [Audit(code="I2", title="things hold", check=broken), Audit(code="I3", title="mail", check=elsewhere)]
    declared = System("shop", services=[till, books], audits=audits)
    report = await check(replace(world.subject, declared=declared))
    assert [o.code for o in report.outcomes][:2] == ["I2", "I3"]
    assert (report.outcomes[0].violated, len(report.outcomes[0].violations)) == (30, NAMED)
    assert report.outcomes[1].state == "unchecked"
    assert not report.held


async def test_an_external_without_a_stand_in_is_said_to_be_missing(world: World) -> None:
    from shoal.audit.evidence import Reading  # noqa: PLC0415 - the one test that looks inside

    with pytest.raises(Unavailable, match="no stand-in for mail"):
        await Reading(world.subject).ask("mail", "/")


def test_expected_dead_letters_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "dead"
    file.write_text("# planted\nbooks m-1\n\nbooks m-2 # another\n")
    assert dead_letters(file) == {("books", "m-1"), ("books", "m-2")}
    file.write_text("books\n")
    with pytest.raises(ShoalError, match=r"dead:1 is no dead letter"):
        dead_letters(file)


def test_operations_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "operations.jsonl"
    file.write_text(json.dumps({"service": "till", "endpoint": "ring", "key": "k", "status": 201, "body": [1]}) + "\n")
    assert operations(file) == (Operation(service="till", endpoint="ring", key="k", status=201, body=[1]),)
    file.write_text("{}\n")
    with pytest.raises(ShoalError, match=r"operations.jsonl:1 is no operation"):
        operations(file)
    with pytest.raises(ShoalError, match="cannot read"):
        operations(tmp_path / "none")
