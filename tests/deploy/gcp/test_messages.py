"""Topics and subscriptions are those that their driver makes: compared with what it says of them."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.cloud.streams import declarations
from shoal.deploy.gcp import messages
from shoal.deploy.gcp.resources import Operator, Subscription, Topic
from shoal.drivers.base import Stream
from shoal.drivers.pubsub import making, wire
from shoal.model.messages import KEPT
from shoal.runtime.declaring import Declarations
from tests.deploy.gcp.samples import of_kind, scope_of, shops
from tests.deploy.samples import shop

NAMES = st.text("ABCdef0123456789_-", min_size=1, max_size=160)
SUBJECTS = st.lists(st.from_regex(r'[a-z"\\.]{1,12}\.[0-9a-z*>"]{1,4}', fullmatch=True), max_size=4)


@given(NAMES, NAMES)
def test_names_are_the_drivers(stream: str, consumer: str) -> None:
    assert messages.named(stream, consumer) == wire.subscription_name(stream, consumer)
    assert messages.named(stream, messages.LETTERS) == wire.letters_name(stream)
    assert messages.named(stream, messages.TURN) == wire.turn_name(stream)


@given(SUBJECTS)
def test_filters_are_the_drivers(subjects: list[str]) -> None:
    wanted = wire.subscription("t", 10, KEPT, subjects).get("filter", "")
    assert messages.filtered(subjects) == wanted


def test_every_subscription_is_set_as_the_driver_sets_it() -> None:
    plan = scope_of(shop()).plan
    made = of_kind(shops(), Subscription)
    declared = msgspec.json.decode(declarations(plan), type=Declarations)
    ages = {stream.name: stream.age for stream in declared.streams}
    for consumer in declared.consumers:
        found = made[wire.subscription_name(consumer.stream, consumer.name)]
        keeping = ages[consumer.stream] or wire.KEEPING
        wanted = wire.subscription(consumer.stream, wire.deadline(consumer), keeping, consumer.subjects)
        assert found.topic == wanted["topic"]
        assert found.deadline == wanted["ackDeadlineSeconds"]
        assert f"{found.keeping}s" == wanted["messageRetentionDuration"]
        assert found.filter == wanted.get("filter", "")
    letters = [stream.name for stream in declared.streams if wire.keeps(stream)]
    for name in letters:
        found = made[wire.letters_name(name)]
        wanted = wire.subscription(name, wire.LEAST_DEADLINE, wire.KEEPING, ())
        assert (found.deadline, f"{found.keeping}s") == (
            wanted["ackDeadlineSeconds"], wanted["messageRetentionDuration"],
        )  # fmt: skip
    assert len(made) == len(declared.consumers) + len(letters)


def test_there_is_a_topic_for_each_stream_and_for_each_turn() -> None:
    plan = scope_of(shop()).plan
    wanted = {stream.name for stream in plan.streams}
    turns = {pair[1] for stream in plan.streams if stream.letters for pair in making.keeping(stream.name)}
    assert set(of_kind(shops(), Topic)) == wanted | turns


def test_what_the_operators_job_declares_can_be_read() -> None:
    text = of_kind(shops(), Operator)["operator"].environment["SHOAL_STREAMS"]
    found = msgspec.json.decode(str(text), type=Declarations)
    assert {stream.name for stream in found.streams} == {stream.name for stream in scope_of(shop()).plan.streams}
    assert all(isinstance(stream, Stream) for stream in found.streams)
