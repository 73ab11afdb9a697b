"""What Pub/Sub refuses, for a time or for good, is told apart; it is played over HTTP."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from shoal.drivers import open_broker
from shoal.drivers.base import Consumer, Outcome, Published, Stream
from shoal.drivers.base.bearer import Bearer, Token
from shoal.drivers.base.declared import ConsumerRecord, StreamRecord
from shoal.drivers.pubsub import records
from shoal.drivers.pubsub.answers import Answers
from shoal.drivers.pubsub.broker import PubsubBroker
from shoal.drivers.pubsub.publish import AT_A_TIME
from shoal.drivers.pubsub.wire import EMULATED_KEYS
from shoal.errors import EngineError, Unavailable, Undeclared
from tests.conformance.harness import message, soon
from tests.drivers.clouds_played import Played

STREAM = Stream(name="T_ORDERS", subjects=("t.event.placed",))
MAIN = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects)
DECLARED = (StreamRecord(stream=STREAM, made=7), ConsumerRecord(consumer=MAIN, since=7))


class PlayedPubsub(Played):
    """Has one stream and one consumer; refuses what has a certain word in it."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, tuple[int, str]] = {}
        """Status and code, by a word of the request."""
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.asleep = False
        """Whether it answers nothing."""

    @property
    def url(self) -> str:
        return f"pubsub://{self.place}/my-project?tls=0"

    def of(self, verb: str) -> list[str]:
        """List what was asked by a verb."""
        return [body for path, body in self.asked if path.endswith(verb)]

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        said = body if not body else _plain(body)
        self.asked.append((request.path, said))
        if self.asleep:
            await asyncio.Event().wait()
        self.tokens.append(request.headers.get("authorization", ""))
        for word, (status, code) in self.refused.items():
            if word in request.path or word in said:
                return web.json_response({"error": {"code": status, "status": code, "message": "no"}}, status=status)
        if request.path.endswith("/topics"):
            topics: list[dict[str, object]] = [{"name": "projects/my-project/topics/T_ORDERS"}]
            topics += [{"name": f"x/{records.topic_name(each)}", "labels": records.pack(each)} for each in DECLARED]
            return web.json_response({"topics": topics})
        return web.json_response({})


def _plain(body: str) -> str:
    """Write the messages of a request as they were before Base64."""
    messages = msgspec.json.decode(body).get("messages", ())
    return body + "".join(base64.b64decode(each["data"]).decode() for each in messages)


@pytest_asyncio.fixture
async def played() -> AsyncIterator[PlayedPubsub]:
    server = PlayedPubsub()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def broker(played: PlayedPubsub) -> AsyncIterator[PubsubBroker]:
    found = open_broker(played.url)
    assert isinstance(found, PubsubBroker)
    await found.open()
    yield found
    await soon(found.close())


def kinds(outcomes: Sequence[Outcome]) -> list[type[object]]:
    return [type(outcome) for outcome in outcomes]


async def test_who_has_no_right_is_told_what_to(played: PlayedPubsub, broker: PubsubBroker) -> None:
    played.refused = {":publish": (403, "PERMISSION_DENIED"), ":pull": (403, "PERMISSION_DENIED")}
    outcome, *_ = await broker.publish([message(1), message(2)])
    assert isinstance(outcome, Undeclared)
    assert "t.event.placed to T_ORDERS" in outcome.message
    with pytest.raises(Undeclared, match="consumer main of stream T_ORDERS"):
        await soon(broker.fetch(MAIN, 1, 10))
    played.refused = {"/topics": (403, "PERMISSION_DENIED")}
    with pytest.raises(Undeclared, match="consumer main"):
        await broker.rewind(MAIN)


async def test_the_one_that_is_never_taken_is_found(played: PlayedPubsub, broker: PubsubBroker) -> None:
    played.refused = {'"m2"': (400, "INVALID_ARGUMENT")}
    first, second, third = await broker.publish([message(number, key="k") for number in (1, 2, 3)])
    assert kinds([first, third]) == [Published, Published]
    assert isinstance(second, EngineError)
    assert not isinstance(second, Unavailable)


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE"), (500, "INTERNAL"), (504, "DEADLINE_EXCEEDED"), (404, "")],
)
async def test_what_is_not_taken_now_sets_nothing_aside_and_nothing_of_its_key_follows(
    played: PlayedPubsub, broker: PubsubBroker, status: int, code: str
) -> None:
    epoch, played.refused = broker.epoch, {'"m1"': (status, code)}
    many = [message(number, key="k") for number in range(1, 1002)]  # more than one request takes
    outcomes = await broker.publish([*many, message(5000, key="other")])
    assert kinds(outcomes) == [*[Unavailable] * 1001, Published]
    assert len(played.of(":publish")) == 2
    assert broker.epoch == epoch


async def test_each_key_is_a_request_of_its_own_and_what_has_none_goes_together(
    played: PlayedPubsub, broker: PubsubBroker
) -> None:
    address, sent = broker._link.address, [message(n, key=k) for n, k in enumerate(("a", "b", "", "", "a", "u"))]

    def keys() -> list[list[str]]:
        asked, played.asked = played.of(":publish"), []
        found = [msgspec.json.decode(text[: text.index("}]}") + 3])["messages"] for text in asked]
        return sorted([each.get("orderingKey", "") for each in some] for some in found)

    broker._link.address = dataclasses.replace(address, emulated=False)
    await broker.publish(sent)
    assert keys() == [["", ""], ["a", "a"], ["b"], ["u"]]
    broker._link.address = address  # an emulator is shown few keys
    await broker.publish([message(n, key=f"k{n}") for n in range(100)])
    assert len(keys()) == EMULATED_KEYS


async def test_a_request_for_messages_whose_time_is_over_found_none(played: PlayedPubsub, broker: PubsubBroker) -> None:
    played.refused = {":pull": (504, "DEADLINE_EXCEEDED")}
    epoch = broker.epoch
    assert list(await broker.fetch(MAIN, 1, 0.1)) == []
    assert len(played.of(":pull")) > 1
    assert broker.epoch == epoch


async def test_who_is_slow_is_no_other_and_nothing_more_is_sent_to_them_now(
    played: PlayedPubsub, broker: PubsubBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rest in broker._link._rest.values():
        monkeypatch.setattr(rest, "_seconds", 0.05)
        await rest.close()
    assert list(await broker.fetch(MAIN, 1, 0.01)) == []
    epoch, played.asleep = broker.epoch, True
    assert list(await broker.fetch(MAIN, 1, 0.01)) == []
    outcomes = await broker.publish([message(number, key=str(number)) for number in range(200)])
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert len(played.of(":publish")) <= AT_A_TIME
    assert broker.epoch == epoch


async def test_an_answer_that_was_not_taken_is_said_again(played: PlayedPubsub, broker: PubsubBroker) -> None:
    played.refused = {":acknowledge": (503, "UNAVAILABLE")}
    answers = Answers(broker._link, "subscription")
    answers.done("one")
    while len(played.of(":acknowledge")) < 3:  # noqa: ASYNC110 - nothing tells when
        await asyncio.sleep(0.01)
    played.refused = {}
    await soon(answers.flush())
    assert {*played.of(":acknowledge")} == {'{"ackIds":["one"]}'}
    broker._link.pulse.fall()
    asked = len(played.asked)
    answers.done("two")
    await soon(answers.flush())
    assert len(played.asked) == asked


async def test_a_token_that_is_refused_is_not_used_again(played: PlayedPubsub, broker: PubsubBroker) -> None:
    lent = iter(["old", "new"])

    async def lend() -> Token:
        return Token(next(lent), 2.0**40)

    broker._link._bearer = Bearer(lend)
    played.refused = {":publish": (401, "UNAUTHENTICATED")}
    assert kinds(await broker.publish([message(1)])) == [Unavailable]
    played.refused = {}
    assert kinds(await broker.publish([message(1)])) == [Published]
    assert played.tokens[-2:] == ["Bearer old", "Bearer new"]


async def test_nothing_is_sent_after_a_silence(played: PlayedPubsub, broker: PubsubBroker) -> None:
    epoch = broker.epoch
    await played.stop()
    outcomes = await soon(broker.publish([message(number, key=str(number)) for number in range(200)]))
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert broker.epoch == epoch + 1
    with pytest.raises(Unavailable):
        await asyncio.wait_for(broker.ping(), 5)
