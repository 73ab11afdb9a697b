"""Topics, subscriptions and rules are what the driver makes and expects."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.azure import messages, naming
from shoal.deploy.azure.hcl.messages import duration
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Operator, Subscription, Topic
from shoal.model.system import System
from shoal.runtime.declaring import Declarations
from tests.deploy.azure.samples import PRODUCTION, of_kind, scope_of, shops
from tests.deploy.samples import shop
from tests.model.strategies import systems

pytest.importorskip("proton", reason="the client of Service Bus is not installed: pip install 'shoal[servicebus]'")

from shoal.drivers.servicebus import wire


def test_every_stream_has_a_topic_and_every_consumer_a_subscription_as_the_driver_has_them() -> None:
    declared = msgspec.json.decode(
        str(of_kind(shops(), Operator)["operator"].environment["SHOAL_STREAMS"]), type=Declarations
    )
    topics, found = of_kind(shops(), Topic), of_kind(shops(), Subscription)
    assert {*topics} == {wire.REGISTRY.name, *(stream.name for stream in declared.streams)}
    for stream in (wire.REGISTRY, *declared.streams):
        assert topics[stream.name].seconds == stream.age
        if wire.keeps(stream):
            kept = found[f"{stream.name}/{wire.LETTERS}"]
            assert (kept.lock, kept.seconds, kept.deliveries) == (wire.LETTERS_LOCK, 0, wire.DELIVERIES)
    streams = {stream.name: stream for stream in declared.streams}
    for one in declared.consumers:
        made = found[f"{one.stream}/{one.name}"]
        assert wire.entity(made.topic, made.key) == wire.place(one)
        assert (made.lock, made.seconds) == (wire.lock(one), streams[one.stream].age)
        assert [*made.subjects] == [*wire.rules(one.subjects)]
        assert [naming.rule(s) for s in made.subjects] == [wire.rule_name(s) for s in wire.rules(one.subjects)]


@given(st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1, max_size=80))
def test_subscriptions_are_named_as_the_driver_does(consumer: str) -> None:
    assert naming.subscription(consumer) == wire.subscription_name(consumer)
    assert naming.rule(consumer) == wire.rule_name(consumer)


@given(systems())
def test_names_of_subscriptions_are_apart(system: System) -> None:
    found = [one for one in resources(scope_of(system, PRODUCTION)) if isinstance(one, Subscription)]
    assert len({(one.topic, one.key) for one in found}) == len(found)


def test_the_operators_job_runs_an_image_that_knows_the_broker() -> None:
    plan = scope_of(shop()).plan
    assert plan.service(of_kind(shops(), Operator)["operator"].image).broker is not None
    assert wire.REGISTRY.name == messages.REGISTRY


def test_durations_are_as_azure_gives_them_back() -> None:
    assert [duration(s) for s in (15, 30, 60, 300, 3600, 604_800)] == ["PT15S", "PT30S", "PT1M", "PT5M", "PT1H", "P7D"]
