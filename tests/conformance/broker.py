"""The contract of a `Broker`, sentence by sentence. Subclasses bring the fixture ``harness``."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from shoal.drivers.base import Broker, Consumer, Delivery, Message, Outcome, Published, Stream
from shoal.errors import Contended, EngineError, Unavailable, Undeclared
from tests.conformance.harness import BrokerHarness, back, message, soon

STREAM = Stream(name="T_ORDERS", subjects=("t.event.placed", "t.event.paid"))
MAIN = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects)
HASTY = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, ack_wait=0.3)
LONG = 10.0
"""Seconds to wait for what comes."""
SHORT = 0.1
"""Seconds to wait for what must not come."""


async def service(harness: BrokerHarness, consumer: Consumer = MAIN) -> Broker:
    """Declare the stream and a consumer, and connect."""
    await harness.admin().declare([STREAM], [consumer])
    return await harness.broker("service")


async def gather(broker: Broker, count: int, consumer: Consumer = MAIN) -> list[Delivery]:
    """Fetch until there are so many."""
    found: list[Delivery] = []
    async with asyncio.timeout(LONG):
        while len(found) < count:
            found += await broker.fetch(consumer, count - len(found), LONG)
    return found


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    """Name the messages."""
    return [delivery.message.id for delivery in deliveries]


def stored(outcome: Outcome) -> Published:
    """Require that a message was taken."""
    assert isinstance(outcome, Published), outcome
    return outcome


def needs_log(harness: BrokerHarness) -> None:
    """Skip what is asked of what was published before."""
    if "log" not in harness.capabilities:
        pytest.skip("the engine keeps nothing but what is not handled")


def lie(harness: BrokerHarness, outcomes: Sequence[Outcome], places: Sequence[int]) -> None:
    """Require that messages were taken, and lie at these places where the engine counts any."""
    known = "log" in harness.capabilities
    assert [stored(outcome).sequence for outcome in outcomes] == [place if known else 0 for place in places]


async def store(broker: Broker, messages: Sequence[Message]) -> None:
    """Publish until all are stored, however long the broker is away."""

    async def attempt() -> None:
        for outcome in await broker.publish(messages):
            if isinstance(outcome, Unavailable):
                raise outcome
            stored(outcome)

    await back(attempt)


class PublishContract:
    """Many in flight, in order, stored once."""

    async def test_ping_answers(self, harness: BrokerHarness) -> None:
        await (await service(harness)).ping()

    async def test_messages_arrive_whole_and_in_order(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        sent = [message(number, traceparent="00-1", note="é: ü", empty="") for number in range(1500)]
        await soon(broker.publish(sent))
        found: list[Delivery] = []
        while len(found) < len(sent):
            some = await broker.fetch(MAIN, 100, LONG)
            assert 0 < len(some) <= 100
            for delivery in some:
                await delivery.ack()
            found += some
        assert [delivery.message for delivery in found] == sent

    async def test_publishing_nothing_is_nothing(self, harness: BrokerHarness) -> None:
        assert list(await (await service(harness)).publish([])) == []

    async def test_an_id_is_stored_once(self, harness: BrokerHarness) -> None:
        if "known-ids" not in harness.capabilities:
            pytest.skip("the engine does not look at ids")
        broker = await service(harness)
        first = await broker.publish([message(1), message(1), message(2)])
        second = await broker.publish([message(2), message(3)])
        assert [stored(o).duplicate for o in (*first, *second)] == [False, True, False, True, False]
        assert ids(await gather(broker, 3)) == ["m1", "m2", "m3"]
        assert not await broker.fetch(MAIN, 1, SHORT)

    async def test_many_tasks_publish_and_fetch_at_a_time(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        fetching = [asyncio.create_task(gather(broker, 25)) for _ in range(4)]
        await asyncio.gather(*(broker.publish([message(n * 10 + i) for i in range(10)]) for n in range(10)))
        found = [ids(deliveries) for deliveries in await soon(asyncio.gather(*fetching))]
        assert sorted(itertools.chain(*found)) == sorted(f"m{number}" for number in range(100))

    async def test_it_says_where_each_message_lies(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        outcomes = await broker.publish([message(number) for number in range(1200)])
        lie(harness, outcomes, range(1, 1201))

    async def test_a_subject_without_stream_is_unavailable_and_the_others_are_stored(
        self, harness: BrokerHarness
    ) -> None:
        await service(harness)
        operator = await harness.broker("operator")
        one, lost, two = await soon(operator.publish([message(1), message(2, "t.event.unheard"), message(3)]))
        assert isinstance(lost, Unavailable)
        assert "t.event.unheard" in str(lost)
        lie(harness, [one, two], [1, 2])

    async def test_a_header_cannot_forge_another(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        refused, taken = await broker.publish([message(1, note="a\r\nforged: yes"), message(2)])
        assert isinstance(refused, EngineError)
        assert not isinstance(refused, Unavailable)
        lie(harness, [taken], [1])

    async def test_what_is_not_declared_is_refused_at_once(self, harness: BrokerHarness) -> None:
        if "permissions" not in harness.capabilities:
            pytest.skip("everybody may do everything")
        broker = await service(harness)
        other = Consumer(stream=STREAM.name, name="other", subjects=STREAM.subjects)
        await harness.admin().declare([], [other])
        secret = [message(1, "t.event.Secret"), message(2), message(3, "t.event.Secret")]
        first, second, third = await asyncio.wait_for(broker.publish(secret), 2)
        assert isinstance(first, Undeclared)
        assert "t.event.Secret" in str(first)
        assert isinstance(third, Undeclared)
        lie(harness, [second], [1])
        with pytest.raises(Undeclared, match="other"):
            await asyncio.wait_for(broker.fetch(other, 1, LONG), 2)
        with pytest.raises(Undeclared, match="other"):
            await asyncio.wait_for(broker.rewind(other), 2)
        assert ids(await gather(broker, 1)) == ["m2"]


class FetchContract:
    """Durable consumers and their members."""

    async def test_fetch_returns_with_the_first_message(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        for number in range(5):
            task = asyncio.create_task(broker.fetch(MAIN, 10, 60))
            await broker.ping()
            await broker.publish([message(number)])
            (delivery,) = await soon(task)
            assert delivery.message.id == f"m{number}"
            await delivery.ack()

    async def test_fetch_is_empty_when_none_came(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        assert list(await soon(broker.fetch(MAIN, 10, SHORT))) == []

    async def test_a_consumer_hears_its_subjects_from_the_beginning(self, harness: BrokerHarness) -> None:
        needs_log(harness)
        await harness.admin().declare([STREAM], [])
        operator = await harness.broker("operator")
        await operator.publish([message(1), message(2, "t.event.paid"), message(3)])
        paid = Consumer(stream=STREAM.name, name="paid", subjects=("t.event.paid",))
        await harness.admin().declare([], [paid, MAIN])
        assert ids(await gather(operator, 1, paid)) == ["m2"]
        assert ids(await gather(operator, 3)) == ["m1", "m2", "m3"]
        assert not await operator.fetch(paid, 1, SHORT)

    async def test_a_consumer_outlives_its_members(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(1), message(2)])
        for delivery in await gather(broker, 2):
            await delivery.ack()
        await broker.ping()
        await soon(broker.close())
        operator = await harness.broker("operator")
        await operator.publish([message(3)])
        again = await harness.broker("service")
        assert ids(await gather(again, 1)) == ["m3"]

    async def test_members_compete(self, harness: BrokerHarness) -> None:
        if "members" not in harness.capabilities:
            pytest.skip("a consumer has one member at a time")
        members = [await service(harness), await harness.broker("service")]
        found: list[str] = []

        async def work(member: Broker) -> None:
            while len(found) < 200:
                for delivery in await member.fetch(MAIN, 7, 0.5):
                    found.append(delivery.message.id)
                    await delivery.ack()

        tasks = [asyncio.create_task(work(member)) for member in members]
        await members[0].publish([message(number) for number in range(200)])
        await soon(asyncio.gather(*tasks))
        assert sorted(found) == sorted(f"m{number}" for number in range(200))

    async def test_an_unknown_consumer_is_unavailable(self, harness: BrokerHarness) -> None:
        await service(harness)
        operator = await harness.broker("operator")
        for unknown in (
            Consumer(stream=STREAM.name, name="unknown", subjects=STREAM.subjects),
            Consumer(stream="UNKNOWN", name="main", subjects=STREAM.subjects),
        ):
            with pytest.raises(Unavailable):
                await soon(operator.fetch(unknown, 1, LONG))

    async def test_declaring_again_adapts(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(1)])
        subjects = (*STREAM.subjects, "t.event.sent")
        wider = Stream(name=STREAM.name, subjects=subjects)
        hears = Consumer(stream=STREAM.name, name="main", subjects=subjects, ack_wait=0.3)
        for _ in range(2):
            await harness.admin().declare([wider], [hears])
        operator = await harness.broker("operator")
        await operator.publish([message(2, "t.event.sent")])
        assert ids(await gather(broker, 2)) == ["m1", "m2"]
        assert ids(await gather(broker, 2)) == ["m1", "m2"]

    async def test_a_cancelled_fetch_loses_nothing(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        found: list[str] = []
        for number in range(30):
            task = asyncio.create_task(broker.fetch(MAIN, 5, LONG))
            publishing = asyncio.create_task(broker.publish([message(number)]))
            for _ in range(number % 10):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task, publishing})
            if not task.cancelled():
                found += ids(task.result())
        while len(set(found)) < 30:
            found += ids(await soon(broker.fetch(MAIN, 50, LONG)))
        assert sorted(set(found)) == sorted(f"m{number}" for number in range(30))


class AnswerContract:
    """Each delivery is answered."""

    async def test_what_is_acknowledged_does_not_come_again(self, harness: BrokerHarness) -> None:
        broker = await service(harness, HASTY)
        await broker.publish([message(1), message(2)])
        first, second = await gather(broker, 2, HASTY)
        await first.ack()
        await second.drop()
        assert not await broker.fetch(HASTY, 1, HASTY.ack_wait * 3)

    async def test_what_is_not_answered_comes_again(self, harness: BrokerHarness) -> None:
        broker = await service(harness, HASTY)
        await broker.publish([message(1)])
        for _ in range(3):
            (delivery,) = await gather(broker, 1, HASTY)
            assert delivery.message == message(1)
        await delivery.ack()
        assert not await broker.fetch(HASTY, 1, HASTY.ack_wait * 2)

    async def test_another_member_takes_over(self, harness: BrokerHarness) -> None:
        dying = await service(harness, HASTY)
        await dying.publish([message(1)])
        await gather(dying, 1, HASTY)
        await dying.close()
        assert ids(await gather(await harness.broker("service"), 1, HASTY)) == ["m1"]

    async def test_progress_begins_the_wait_anew(self, harness: BrokerHarness) -> None:
        patient = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, ack_wait=1.0)
        broker = await service(harness, patient)
        await broker.publish([message(1)])
        (delivery,) = await gather(broker, 1, patient)
        for _ in range(15):
            await delivery.progress()
            assert not await broker.fetch(patient, 1, 0.1)
        assert ids(await gather(broker, 1, patient)) == ["m1"]

    async def test_only_the_first_answer_counts(self, harness: BrokerHarness) -> None:
        broker = await service(harness, HASTY)
        await broker.publish([message(1)])
        (delivery,) = await gather(broker, 1, HASTY)
        await delivery.ack()
        await delivery.progress()
        await delivery.drop()
        assert not await broker.fetch(HASTY, 1, HASTY.ack_wait * 2)


class LossContract:
    """What happens when the broker dies."""

    async def test_it_recovers_from_a_killed_broker(self, harness: BrokerHarness) -> None:
        if "durable" not in harness.capabilities:
            pytest.skip("the engine ends with this process")
        broker = await service(harness)
        await broker.publish([message(number) for number in range(100)])
        half = await gather(broker, 50)
        await gather(broker, 50)
        for delivery in half:
            await delivery.ack()
        await broker.ping()
        waiting = asyncio.create_task(broker.fetch(MAIN, 1, 60))
        await broker.ping()
        await harness.crash()
        with pytest.raises(Unavailable):
            await soon(waiting)
        for attempt in (broker.ping(), broker.position(STREAM.name), broker.rewind(MAIN), broker.fetch(MAIN, 1, LONG)):
            with pytest.raises(Unavailable):
                await soon(attempt)
        assert [type(outcome) for outcome in await soon(broker.publish([message(100)]))] == [Unavailable]
        await harness.start()
        await store(broker, [message(number) for number in range(90, 110)])
        await harness.admin().declare([STREAM], [HASTY])
        missing = {f"m{number}" for number in range(50, 110)}
        async with asyncio.timeout(LONG):
            while missing:
                for delivery in await back(lambda: broker.fetch(HASTY, 10, LONG)):
                    missing.discard(delivery.message.id)
                    await delivery.ack()

    async def test_what_is_to_stand_behind_a_place_stands_there_or_nowhere(self, harness: BrokerHarness) -> None:
        if "places" not in harness.capabilities:
            pytest.skip("the engine only appends")
        broker, kinds = await service(harness), list[type[object]]()
        await store(broker, [message(1), message(2)])
        for numbers, after in (((3, 4), 2), ((5,), 3), ((4, 5), 4), ((2, 4), 0), ((6, 7), 9)):
            outcomes = await soon(broker.publish([message(number) for number in numbers], after=after))
            kinds += [type(outcome) for outcome in outcomes]
        assert kinds == [Published, Published, Contended, Published, *[Contended] * 5]
        position = await broker.position(STREAM.name)
        assert position is not None
        assert position.last == 4

    async def test_publishing_again_after_a_loss_stores_all_in_the_end(self, harness: BrokerHarness) -> None:
        if "durable" not in harness.capabilities:
            pytest.skip("the engine ends with this process")
        other = Consumer(stream=STREAM.name, name="audit", subjects=STREAM.subjects)
        if "log" not in harness.capabilities:  # who is declared later hears nothing of it
            await harness.admin().declare([STREAM], [other])
        broker = await service(harness)
        sent = [message(number) for number in range(3000)]
        publishing = asyncio.create_task(broker.publish(sent))
        assert len(await gather(broker, 100)) == 100
        await harness.crash()
        outcomes = await soon(publishing)
        kept = [isinstance(outcome, Published) for outcome in outcomes]
        assert kept == sorted(kept, reverse=True)
        assert isinstance(outcomes[-1], Unavailable)
        await harness.start()
        await store(broker, sent)
        await harness.admin().declare([STREAM], [other])
        operator = await harness.broker("operator")
        assert {delivery.message.id for delivery in await _all(operator, other)} == {m.id for m in sent}


async def _all(broker: Broker, consumer: Consumer) -> list[Delivery]:
    found: list[Delivery] = []
    while some := await broker.fetch(consumer, 500, 0.5):
        for delivery in some:
            await delivery.ack()
        found += some
    return found
