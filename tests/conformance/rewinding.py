"""The contract of a `Broker` for the one member that consumes. Subclasses bring the fixture ``harness``."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from shoal.drivers.base import Broker, Consumer, Delivery, Stream
from shoal.errors import Unavailable
from tests.conformance.broker import HASTY, LONG, MAIN, SHORT, STREAM, gather, ids, needs_log, service, store
from tests.conformance.harness import BrokerHarness, back, message, soon


def places(deliveries: Sequence[Delivery]) -> list[tuple[int, int]]:
    """List the number and the place of each."""
    return [(delivery.number, delivery.sequence) for delivery in deliveries]


def lie_at(harness: BrokerHarness, deliveries: Sequence[Delivery], wanted: Sequence[tuple[int, int]]) -> None:
    """Require numbers and places; where the engine counts no places, only that there is one for each message."""
    found = places(deliveries)
    if "log" not in harness.capabilities:
        own = {place: delivery.message.id for (_, place), delivery in zip(found, deliveries, strict=True)}
        assert len(own) == len({delivery.message.id for delivery in deliveries})
        found, wanted = [(number, 0) for number, _ in found], [(number, 0) for number, _ in wanted]
    assert found == list(wanted)


async def rest(broker: Broker, consumer: Consumer = MAIN) -> list[Delivery]:
    """Fetch until nothing more comes."""
    found: list[Delivery] = []
    while some := await broker.fetch(consumer, 500, 0.3):
        found += some
    return found


class RewindContract:
    """Who takes over begins with the first unanswered message."""

    async def test_deliveries_are_numbered_and_know_their_place(self, harness: BrokerHarness) -> None:
        paid = Consumer(stream=STREAM.name, name="paid", subjects=("t.event.paid",))
        await harness.admin().declare([STREAM], [paid])
        broker = await service(harness)
        await broker.publish([message(1), message(2, "t.event.paid"), message(3)])
        operator = await harness.broker("operator")
        lie_at(harness, await gather(broker, 3), [(1, 1), (2, 2), (3, 3)])
        lie_at(harness, await gather(operator, 1, paid), [(1, 2)])

    async def test_what_is_unanswered_comes_again_at_once_and_in_order(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(number) for number in range(1, 9)])
        first, second, *_ = await gather(broker, 6)
        await first.ack()
        await second.progress()
        await broker.ping()
        await broker.rewind(MAIN)
        again = await gather(broker, 7)
        assert ids(again) == [f"m{number}" for number in range(2, 9)]
        lie_at(harness, again, [(number - 1, number) for number in range(2, 9)])

    async def test_what_is_answered_before_the_first_unanswered_one_stays_so(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(number) for number in range(1, 5)])
        for delivery in await gather(broker, 4):
            await (delivery.ack() if delivery.sequence % 2 else delivery.drop())
        await broker.ping()
        await broker.rewind(MAIN)
        await broker.publish([message(5)])
        lie_at(harness, await gather(broker, 1), [(1, 5)])

    async def test_rewinding_what_was_never_used_is_nothing(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.rewind(MAIN)
        await broker.publish([message(1)])
        lie_at(harness, await gather(broker, 1), [(1, 1)])

    async def test_an_answer_from_before_counts_for_what_comes_again(self, harness: BrokerHarness) -> None:
        broker = await service(harness, HASTY)
        await broker.publish([message(1), message(2)])
        first, _ = await gather(broker, 2, HASTY)
        await broker.rewind(HASTY)
        assert len(await gather(broker, 2, HASTY)) == 2
        await first.ack()
        again = await gather(broker, 1, HASTY)
        assert ids(again) == ["m2"]

    async def test_what_went_to_somebody_else_leaves_a_gap(self, harness: BrokerHarness) -> None:
        if not {"log", "members"} <= harness.capabilities:
            pytest.skip("a consumer has one member at a time, or its engine keeps the order for several by itself")
        broker, other = await service(harness), await harness.broker("service")
        await broker.publish([message(number) for number in range(1, 7)])
        mine = await gather(broker, 2)
        await gather(other, 2)
        mine += await gather(broker, 2)
        assert [number for number, _ in places(mine)] == [1, 2, 5, 6]

    async def test_a_repetition_has_a_number_of_its_own(self, harness: BrokerHarness) -> None:
        broker = await service(harness, HASTY)
        await broker.publish([message(1)])
        (first,) = await gather(broker, 1, HASTY)
        (again,) = await gather(broker, 1, HASTY)
        lie_at(harness, [first, again], [(1, 1), (2, 1)])
        assert first.at == again.at

    async def test_no_more_than_may_be_in_hand_are_delivered(self, harness: BrokerHarness) -> None:
        narrow = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, max_in_hand=3)
        broker = await service(harness, narrow)
        await broker.publish([message(number) for number in range(1, 6)])
        taken = await gather(broker, 3, narrow)
        assert not await broker.fetch(narrow, 5, SHORT)
        await taken[0].ack()
        assert ids(await gather(broker, 1, narrow)) == ["m4"]

    async def test_an_unknown_consumer_cannot_be_rewound(self, harness: BrokerHarness) -> None:
        await service(harness)
        operator = await harness.broker("operator")
        with pytest.raises(Unavailable):
            await soon(operator.rewind(Consumer(stream=STREAM.name, name="unknown", subjects=STREAM.subjects)))

    async def test_messages_published_meanwhile_come_after_what_is_unanswered(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(number) for number in range(1, 51)])
        await gather(broker, 50)
        publishing = asyncio.create_task(broker.publish([message(number) for number in range(51, 101)]))
        await broker.rewind(MAIN)
        again = await gather(broker, 100)
        await publishing
        assert ids(again) == [f"m{number}" for number in range(1, 101)]


class RegressContract:
    """What can be seen of a broker that was restarted, or lost what it held."""

    async def test_a_position_counts_what_was_stored(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        before = await broker.position(STREAM.name)
        await broker.publish([message(1), message(2)])
        after = await broker.position(STREAM.name)
        assert before is not None
        assert after is not None
        known = "log" in harness.capabilities
        assert [(p.last, p.count) for p in (before, after)] == [(0, 0), (2, 2) if known else (0, 0)]

    async def test_a_stream_that_is_not_there_has_no_position(self, harness: BrokerHarness) -> None:
        operator = await harness.broker("operator")
        assert await operator.position(STREAM.name) is None

    async def test_a_restart_is_seen_in_the_epoch_and_the_holder_can_begin_anew(self, harness: BrokerHarness) -> None:
        if "durable" not in harness.capabilities:
            pytest.skip("the engine ends with this process")
        broker = await service(harness)
        await broker.publish([message(number) for number in range(1, 101)])
        taken = await gather(broker, 100)
        for delivery in taken[:50]:
            await delivery.ack()
        await broker.ping()
        epoch = broker.epoch
        await harness.crash()
        await harness.start()
        await back(lambda: broker.rewind(MAIN))
        assert broker.epoch != epoch
        again = await gather(broker, 50)
        numbers = [number for number, _ in places(again)]
        assert numbers == list(range(1, len(again) + 1))
        assert {f"m{number}" for number in range(51, 101)} <= set(ids([*again, *await rest(broker)]))
        await store(broker, [message(101)])
        found = await back(lambda: broker.position(STREAM.name))
        assert found is not None
        assert found.last == (101 if "log" in harness.capabilities else 0)


class OperatorContract:
    """The operator reads, writes and edits streams, and nobody's consumption changes by it."""

    async def test_a_stream_is_read_by_place(self, harness: BrokerHarness) -> None:
        needs_log(harness)
        broker = await service(harness)
        sent = [message(number, note="é") for number in range(1, 8)]
        await broker.publish(sent)
        read = await harness.admin().read(STREAM.name, 2, 3)
        assert [kept.message for kept in read] == sent[2:5]
        assert [kept.sequence for kept in read] == [3, 4, 5]
        assert all(earlier.at <= later.at for earlier, later in itertools.pairwise(read))
        assert not await harness.admin().read(STREAM.name, 7, 10)
        assert [delivery.at for delivery in await gather(broker, 7)][2:5] == [kept.at for kept in read]

    async def test_a_long_stream_is_read_whole(self, harness: BrokerHarness) -> None:
        needs_log(harness)
        broker = await service(harness)
        await broker.publish([message(number) for number in range(2500)])
        found: list[int] = []
        while page := await harness.admin().read(STREAM.name, found[-1] if found else 0, 1000):
            found += [kept.sequence for kept in page]
        assert found == list(range(1, 2501))

    async def test_what_is_removed_is_not_read_and_not_delivered(self, harness: BrokerHarness) -> None:
        if "removal" not in harness.capabilities:
            pytest.skip("the engine lets go of nothing but the oldest")
        broker = await service(harness)
        await broker.publish([message(number) for number in range(1, 6)])
        for _ in range(2):  # what is gone is passed over, and so is what never was
            await harness.admin().remove(STREAM.name, [1, 2, 4, 99])
        assert [kept.sequence for kept in await harness.admin().read(STREAM.name, 0, 10)] == [3, 5]
        assert ids(await gather(broker, 2)) == ["m3", "m5"]
        assert (await harness.admin().positions())[STREAM.name].last == 5

    async def test_the_operator_publishes_on_any_subject(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await harness.admin().publish([message(1), message(2, "t.event.paid")])
        assert ids(await gather(broker, 2)) == ["m1", "m2"]

    async def test_it_knows_how_far_streams_and_consumers_have_come(self, harness: BrokerHarness) -> None:
        broker = await service(harness)
        await broker.publish([message(number) for number in range(5)])
        taken = await gather(broker, 3)
        await taken[0].ack()
        await broker.ping()
        positions, lags = await harness.admin().positions(), await harness.admin().lags(STREAM.name)
        known = 5 if "log" in harness.capabilities else 0
        assert (positions[STREAM.name].last, positions[STREAM.name].count) == (known, known)
        assert dict(lags) == {"main": 4 if "lags" in harness.capabilities else 0}

    async def test_it_says_what_is_missing(self, harness: BrokerHarness) -> None:
        other = Stream(name="T_OTHER", subjects=("t.other",))
        lost = Consumer(stream=other.name, name="lost", subjects=other.subjects)
        gone = Consumer(stream=STREAM.name, name="gone", subjects=STREAM.subjects)
        await service(harness)
        streams, consumers = await harness.admin().missing([STREAM, other], [MAIN, gone, lost])
        assert (list(streams), list(consumers)) == ([other], [gone, lost])
        await harness.admin().declare(streams, consumers)
        assert [*map(list, await harness.admin().missing([STREAM, other], [MAIN, gone, lost]))] == [[], []]

    async def test_there_is_nothing_to_read_where_there_is_no_stream(self, harness: BrokerHarness) -> None:
        admin = harness.admin()
        assert dict(await admin.positions()) == {}
        for attempt in (admin.read("UNKNOWN", 0, 1), admin.lags("UNKNOWN"), admin.remove("UNKNOWN", [1])):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(attempt, LONG)
