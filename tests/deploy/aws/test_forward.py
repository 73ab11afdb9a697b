"""Events for who is outside go by a queue and a pipe onto a bus, and only those that are named."""

from functools import cache
from pathlib import Path

import msgspec
import pytest

from shoal.cost.aws import items
from shoal.cost.month import Month
from shoal.cost.usage import Usage
from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Bus, Pipe, Queue, Resource
from shoal.deploy.aws.settings import Environment
from shoal.model.finding import Finding
from tests.deploy.aws.policies import Policies
from tests.deploy.aws.samples import PRODUCTION, of_kind, scope_of, shops
from tests.deploy.aws.test_provider import validated
from tests.deploy.samples import shop

CHOSEN = ("orders.confirmed.v1", "orders.cancelled.v1", "payments.refunded.v1")


def asking(*events: str, **more: object) -> Environment:
    return msgspec.structs.replace(PRODUCTION, forward=events, **more)


@cache
def made() -> tuple[Resource, ...]:
    return resources(scope_of(shop(), asking(*CHOSEN)))


def told(environment: Environment) -> dict[str, Finding]:
    return {one.code: one for one in findings([scope_of(shop(), environment)])}


def test_nothing_goes_out_unless_it_is_named() -> None:
    assert not of_kind(shops(), Bus)
    assert not of_kind(shops(), Pipe)
    assert of_kind(made(), Pipe).keys() == {"orders", "payments"}


def test_a_pipe_reads_a_queue_that_hears_what_is_named_in_every_part_and_nothing_else() -> None:
    pipe = of_kind(made(), Pipe)["orders"]
    queue = of_kind(made(), Queue)[pipe.queue]
    assert queue.topic == "SHOP_ORDERS"
    expected = {f"shop.event.orders.{name}.v1.{part}" for name in ("confirmed", "cancelled") for part in range(4)}
    assert {*queue.subjects} == expected
    assert not queue.part, "it is no consumer of the system, for which somebody would look"


def test_pipes_read_their_queues_and_speak_to_their_bus_alone() -> None:
    policies = Policies(made(), "shop", "production")
    queues, bus = of_kind(made(), Queue), policies.arn("bus", "outside")
    for name in queues:
        assert policies.may("outside", "sqs:ReceiveMessage", policies.arn("queue", name)) == name.endswith("_forward")
        assert not policies.may("outside", "sqs:SendMessage", policies.arn("queue", name))
    assert policies.may("outside", "events:PutEvents", bus)
    assert not policies.may("outside", "events:PutEvents", bus.replace("outside", "default"))
    assert not [role for role in policies.roles if role != "outside" and policies.may(role, "events:PutEvents", bus)]


def test_what_cannot_go_out_is_refused_with_what_can() -> None:
    found = told(asking("orders.confirmed"))["DEPLOY-AWS-42"]
    assert found.severity == "error"
    assert "orders.confirmed.v1" in found.help


def test_what_nobody_outside_can_read_is_said() -> None:
    assert told(asking("users.signed_up.v1"))["DEPLOY-AWS-44"].severity == "info"
    assert "DEPLOY-AWS-44" not in told(asking(*CHOSEN))


def test_a_broker_of_others_forwards_nothing() -> None:
    environment = asking(*CHOSEN, choose=("broker=kafka",))
    assert not of_kind(resources(scope_of(shop(), environment)), Pipe)
    assert "not SNS" in told(environment)["DEPLOY-AWS-42"].message


def test_the_same_name_twice_is_the_same_event() -> None:
    twice = resources(scope_of(shop(), asking(*CHOSEN, *CHOSEN)))
    assert twice == made()


@pytest.mark.parametrize("more", [{}, {"compute": "eks", "account": "100000000000", "hosts": (), "certificate": ""}])
def test_the_provider_accepts_it(more: dict[str, object], tmp_path: Path) -> None:
    assert not validated(tmp_path, shop(), asking(*CHOSEN, **more))


def test_what_goes_out_is_billed_by_the_event() -> None:
    scope = scope_of(shop(), asking(*CHOSEN))
    found = [one for one in items(resources(scope), Month(scope.plan, Usage())) if one.price == "eventbridge.event"]
    month = Month(scope.plan, Usage())
    assert 0 < sum(one.amount.expected for one in found) < month.events.expected / 1_000_000
