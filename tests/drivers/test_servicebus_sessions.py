"""Who has a session of Service Bus, what becomes of it, and what may be sent; it is played over AMQP 1.0."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, Consumer, Message, Published, Stream
from shoal.drivers.base.bearer import Bearer, Token
from shoal.errors import EngineError, Unavailable, Undeclared
from tests.conformance.broker import MAIN, SHORT, STREAM, gather, ids, service, store, stored
from tests.conformance.harness import back, message, soon

pytest.importorskip("proton", reason="the client of Service Bus is not installed: pip install 'shoal[servicebus]'")

if TYPE_CHECKING:
    from tests.servicebus_played.harness import ServicebusHarness
    from tests.servicebus_played.state import Subscription

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

LETTERS = Stream(name="T_LETTERS", subjects=("t.dead", "t.again"), age=0.0)
PAID = Consumer(stream=STREAM.name, name="paid", subjects=("t.event.paid",))
QUICK = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, ack_wait=0.3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator["ServicebusHarness"]:
    from tests.servicebus_played.harness import ServicebusHarness  # noqa: PLC0415 - not before it is known to be there

    harness = ServicebusHarness()
    await harness.start()
    yield harness
    await harness.crash()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: "ServicebusHarness") -> AsyncIterator["ServicebusHarness"]:
    policies = dict(server.namespace.policies)
    yield server
    await server.clear()
    server.namespace.policies = policies


def main(harness: "ServicebusHarness") -> "Subscription":
    """Look into the subscription of the test's consumer."""
    return harness.namespace.topics[STREAM.name].subscriptions[MAIN.name]


async def handled(broker: Broker, count: int, consumer: Consumer = MAIN) -> list[str]:
    """Take and answer so many."""
    found = await gather(broker, count, consumer)
    for delivery in found:
        await delivery.ack()
    await broker.ping()
    return ids(found)


async def test_a_session_has_one_reader_and_is_handed_over_in_order(harness: "ServicebusHarness") -> None:
    one, two = await service(harness), await harness.broker("service")
    await store(one, [message(number, key="k") for number in range(5)])
    first, *_ = await gather(one, 5)
    assert not await two.fetch(MAIN, 10, SHORT)
    await first.ack()
    await one.close()
    assert await handled(two, 4) == ["m1", "m2", "m3", "m4"]
    assert not main(harness).messages


async def test_a_reader_that_uses_its_consumer_no_more_gives_its_session_back(harness: "ServicebusHarness") -> None:
    one, two = await service(harness, QUICK), await harness.broker("service")
    await store(one, [message(number, key="k") for number in range(6)])
    old = await gather(one, 2, QUICK)
    assert await handled(two, 6, QUICK) == [f"m{number}" for number in range(6)]
    for delivery in old:  # of what it had before
        await delivery.ack()
    assert not any(stored.deliveries for stored in main(harness).dead)


async def test_a_dead_reader_keeps_its_session_until_its_time_is_over(harness: "ServicebusHarness") -> None:
    harness.namespace.severed = False
    one, two = await service(harness), await harness.broker("service")
    await store(one, [message(number, key="k") for number in range(3)])
    await gather(one, 3)
    waiting = asyncio.create_task(gather(two, 3))
    harness.peers[-2].abort()  # nobody notices
    await back(one.ping)
    assert not waiting.done()
    main(harness).session("shoal").until = 0.0
    found = await soon(waiting)
    assert ids(found) == ["m0", "m1", "m2"]
    assert [stored.deliveries for stored in main(harness).messages.values()] == [1, 1, 1]


async def test_a_session_that_is_lost_is_taken_again_and_old_answers_count_for_nothing(
    harness: "ServicebusHarness",
) -> None:
    broker = await service(harness)
    await store(broker, [message(number, key="k") for number in range(3)])
    old = await gather(broker, 3)
    (peer,) = [peer for peer in harness.peers if peer.hears]
    peer.lose(next(iter(peer.hears)))
    with pytest.raises(Unavailable, match="is lost"):
        await soon(broker.fetch(MAIN, 1, 60))
    for delivery in old:
        await delivery.ack()
    assert await handled(broker, 3) == ["m0", "m1", "m2"]


async def test_a_session_is_kept_beyond_its_time_by_who_works_on_it(
    harness: "ServicebusHarness", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.drivers.servicebus.wire.LOCK", 0.6)
    monkeypatch.setattr("shoal.drivers.servicebus.reading.LINGER", 0.05)
    one, two = await service(harness, QUICK), await harness.broker("service")
    await store(one, [message(1)])
    (delivery,) = await gather(one, 1, QUICK)
    session = main(harness).session("shoal")
    first = session.until
    async with asyncio.timeout(10):
        while session.until < first + 0.6:  # it would have been over
            await delivery.progress()
            assert not await two.fetch(QUICK, 1, 0.05)
    assert not main(harness).messages[1].deliveries


async def test_nothing_of_a_key_overtakes_what_service_bus_was_too_busy_for(harness: "ServicebusHarness") -> None:
    broker = await service(harness)
    busy = ["m1"]
    harness.namespace.refused = lambda carried: (
        ("com.microsoft:server-busy", "wait 10 s") if carried.id in busy else None
    )
    sent = [message(0, key="k"), message(1, key="k"), message(2, key="k"), message(3, key="other")]
    first, second, third, other = await broker.publish(sent)
    assert isinstance(second, Unavailable)
    assert isinstance(third, Unavailable)
    assert isinstance(stored(first), Published)
    assert isinstance(stored(other), Published)
    busy.clear()
    await store(broker, sent[1:3])
    assert [each for each in await handled(broker, 4) if each != "m3"] == ["m0", "m1", "m2"]


async def test_a_connection_over_which_nothing_is_answered_is_given_up(
    harness: "ServicebusHarness", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.drivers.servicebus.link.ANSWER_SECONDS", 0.5)
    broker = await service(harness)
    await store(broker, [message(0)])
    epoch, harness.namespace.asleep = broker.epoch, True
    sent = [message(number, key=f"k{number % 300}") for number in range(1, 601)]
    outcomes = await soon(broker.publish(sent))
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    harness.namespace.asleep = False
    await store(broker, [message(1)])
    assert broker.epoch > epoch
    assert await handled(broker, 2) == ["m0", "m1"]


async def test_what_is_too_large_is_refused_as_it_is_and_the_others_are_taken(harness: "ServicebusHarness") -> None:
    broker = await service(harness)
    largest = harness.namespace.largest
    fits = Message(id="fits", subject=STREAM.subjects[0], body=b"x" * (largest - 1024))
    huge = Message(id="huge", subject=STREAM.subjects[0], body=b"x" * largest)
    headed = message("headed", note="x" * 40_000)
    outcomes = await soon(broker.publish([fits, huge, headed, message(1)]))
    for refused in outcomes[1:3]:
        assert isinstance(refused, EngineError)
        assert not isinstance(refused, Unavailable)
    assert await handled(broker, 2) == ["fits", "m1"]


async def test_a_service_says_and_hears_what_it_may_and_no_more(harness: "ServicebusHarness") -> None:
    other = Consumer(stream=STREAM.name, name="other", subjects=STREAM.subjects)
    secret = Stream(name="T_SECRET", subjects=("t.secret",))
    await harness.admin().declare([STREAM, secret], [MAIN, other])
    rights = {
        STREAM.name: frozenset({"send"}),
        f"{STREAM.name}/Subscriptions/main": frozenset({"listen"}),
        "shoal.declared/Subscriptions/shoal.letters": frozenset({"listen"}),
    }
    harness.namespace.policies["narrow"] = ("its key", rights)
    broker = await harness.broker("narrow")
    mine, theirs = await soon(broker.publish([message(1), message(2, "t.secret")]))
    stored(mine)
    assert isinstance(theirs, Undeclared)
    with pytest.raises(Undeclared, match="other"):
        await soon(broker.fetch(other, 1, 10))
    assert await handled(broker, 1) == ["m1"]
    former = harness.url("narrow")
    harness.namespace.policies["narrow"] = ("another key", rights)
    with pytest.raises(Undeclared):
        await soon(open_broker(former).open())


async def test_who_has_a_token_of_the_platform_needs_no_policy_and_a_token_that_is_refused_is_lent_anew(
    harness: "ServicebusHarness", monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = [f"token {number}" for number in range(9)]
    monkeypatch.setattr("shoal.drivers.servicebus.link.bearer", lambda *_: Bearer(lend))

    async def lend() -> Token:
        return Token(lent.pop(0), time.time() + 3600)

    policy = harness.url("operator").partition("//")[2].partition("@")[0]
    url = harness.url("operator").replace(f"{policy}@", "")
    harness.namespace.tokens = {"token 0": "operator", "token 1": "service", "token 2": "service"}
    await broker_admin(url).declare([STREAM], [MAIN])
    broker = open_broker(url)
    await broker.open()
    await store(broker, [message(1)])
    assert await handled(broker, 1) == ["m1"]
    await broker.close()
    del harness.namespace.tokens["token 1"]
    with pytest.raises(Undeclared):
        await broker.open()
    await broker.open()
    await broker.close()


async def test_letters_stay_until_they_are_removed_and_looking_takes_nothing(harness: "ServicebusHarness") -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead") for number in range(1, 301)])
    found = await harness.admin().read(LETTERS.name, 0, 1000)
    assert [kept.message.id for kept in found] == [f"m{number}" for number in range(1, 301)]
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, found[3].sequence, 2)] == [
        kept.sequence for kept in found[4:6]
    ]
    gone = [kept.sequence for kept in found if kept.sequence % 3]
    for _ in range(2):  # what is gone is passed over, and so is what never was
        await harness.admin().remove(LETTERS.name, [*gone, 999])
    assert await harness.admin().read(LETTERS.name, 0, 1000) == [kept for kept in found if kept.sequence % 3 == 0]
    kept = harness.namespace.topics[LETTERS.name].subscriptions["shoal.letters"]
    assert not any(letter.deliveries for letter in kept.messages.values())
    await service(harness)
    with pytest.raises(EngineError, match="nothing of stream T_ORDERS that could be read again"):
        await harness.admin().read(STREAM.name, 0, 1)


async def test_who_is_declared_later_hears_what_is_published_once_more_and_in_order(
    harness: "ServicebusHarness",
) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    paid = [message(number, "t.event.paid", key="k") for number in range(3)]
    await store(broker, paid[:2])
    publisher = await harness.broker("service")  # which has not looked since
    await harness.admin().declare([], [PAID])
    await store(publisher, paid[2:])  # it would come before the others
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    await store(broker, paid)  # as a relay does that sees another stream
    operator = await harness.broker("operator")
    assert await handled(operator, 3, PAID) == ["m0", "m1", "m2"]
    await harness.admin().declare([STREAM], [MAIN, PAID])
    assert await broker.position(STREAM.name) == after  # nobody is new
    wider = Consumer(stream=STREAM.name, name=PAID.name, subjects=STREAM.subjects)
    await harness.admin().declare([], [wider])
    assert await broker.position(STREAM.name) != after
    records = harness.namespace.topics["shoal.declared"].subscriptions["shoal.letters"].messages
    assert len(records) == 3  # of a stream and two consumers, the former ones are gone


async def test_a_topic_or_a_subscription_that_is_gone_is_missed_and_made_again(harness: "ServicebusHarness") -> None:
    broker = await service(harness)
    del harness.namespace.topics[STREAM.name].subscriptions[MAIN.name]
    assert [*map(list, await harness.admin().missing([STREAM], [MAIN]))] == [[], [MAIN]]
    with pytest.raises(Unavailable, match="no consumer main"):
        await soon(broker.fetch(MAIN, 1, 10))
    del harness.namespace.topics[STREAM.name]
    assert [type(outcome) for outcome in await broker.publish([message(1)])] == [Unavailable]
    streams, consumers = await harness.admin().missing([STREAM], [MAIN])
    assert (list(streams), list(consumers)) == ([STREAM], [MAIN])
    await harness.admin().declare(streams, consumers)
    assert await broker.position(STREAM.name) is not None
    await store(broker, [message(1)])
    assert await handled(broker, 1) == ["m1"]
    assert {*main(harness).rules.values()} == {*STREAM.subjects}


async def test_a_broken_connection_is_seen_and_made_anew(harness: "ServicebusHarness") -> None:
    broker = await service(harness)
    await store(broker, [message(number, key="k") for number in range(4)])
    await gather(broker, 2)
    epoch = broker.epoch
    waiting = asyncio.create_task(gather(broker, 3))
    harness.cut()
    with pytest.raises(Unavailable):
        await soon(waiting)
    await back(lambda: broker.rewind(MAIN))
    assert broker.epoch > epoch
    again = await gather(broker, 4)
    assert [(delivery.number, delivery.message.id) for delivery in again] == [
        (number + 1, f"m{number}") for number in range(4)
    ]


async def test_links_that_service_bus_closes_since_nothing_goes_over_them_are_opened_again(
    harness: "ServicebusHarness",
) -> None:
    broker = await service(harness)
    await store(broker, [message(0)])
    assert await handled(broker, 1) == ["m0"]
    waiting = asyncio.create_task(gather(broker, 1))
    await broker.ping()
    epoch = broker.epoch
    for peer in harness.peers:
        peer.idle()
    await harness.admin().declare([], [PAID])
    await back(broker.ping)
    await store(broker, [message(1, "t.event.paid")])
    assert ids(await soon(waiting)) == ["m1"]
    assert await broker.position(STREAM.name) is not None
    await store(broker, [message(2, "t.event.paid")])
    assert await handled(broker, 1, PAID) == ["m2"]  # where it was not before
    assert broker.epoch == epoch
