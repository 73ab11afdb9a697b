"""Objectives: what can be promised, what is refused, and that they survive the way through JSON."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shoal import DynamoDB, Objective, Service, System, Update, anyone
from shoal.errors import DeclarationError
from shoal.model.plan import plan
from shoal.model.system import from_json, to_json
from shoal.model.target import LOCAL
from shoal.service.describe import describe

QUICK = Objective(latency=0.3, target=0.99)
STEADY = Objective(availability=0.999)

hut = Service("hut", objectives=[STEADY])


@hut.get("/tea", access=anyone, objectives=[QUICK, Objective(latency=1.0, target=0.999, window="7d")])
async def tea() -> str:
    """Serve tea."""
    return "tea"


def test_objectives_come_through_description_plan_and_json() -> None:
    described = describe(System("park", services=[hut]))
    assert from_json(to_json(described)) == described
    (service,) = plan(from_json(to_json(described)), LOCAL).system.services
    assert service.objectives == (STEADY,)
    endpoint = service.endpoint("tea")
    assert endpoint is not None
    assert [each.name for each in endpoint.objectives] == ["latency-0.3s", "latency-1s"]
    assert [each.promise for each in (*service.objectives, *endpoint.objectives)] == [
        "99.9 % without failure over 30d",
        "99 % within 0.3 s over 30d",
        "99.9 % within 1 s over 7d",
    ]


@pytest.mark.parametrize(
    ("objective", "seconds", "failed", "good"),
    [
        (STEADY, 9.0, False, True),
        (STEADY, 0.1, True, False),
        (QUICK, 0.3, False, True),
        (QUICK, 0.300001, False, False),
        (QUICK, 0.1, True, None),
        (QUICK, 9.0, True, None),
    ],
)
def test_what_is_good(objective: Objective, seconds: float, failed: bool, good: bool | None) -> None:
    assert objective.judge(seconds, failed=failed) is good


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "an availability or a latency"),
        ({"availability": 0.9, "latency": 0.3}, "an availability or a latency"),
        ({"availability": 0.99, "target": 0.9}, "belongs to a latency"),
        ({"availability": 1.0}, "no share that can be promised"),
        ({"availability": 0.4}, "no share that can be promised"),
        ({"latency": 0.3, "target": 1.0}, "no share that can be promised"),
        ({"latency": 7200.0}, "out of range"),
        ({"latency": -0.3}, "out of range"),
        ({"availability": 0.99, "window": "month"}, "no time"),
        ({"availability": 0.99, "window": "400d"}, "no time"),
        ({"availability": "0.99"}, "wrong type"),
    ],
)
def test_what_cannot_be_promised(said: dict[str, Any], why: str) -> None:
    with pytest.raises(DeclarationError, match=why) as refused:
        Objective(**said)
    assert refused.value.where.startswith("tests/model/test_objectives.py:")


def test_one_thing_is_promised_once() -> None:
    double = Service("double", objectives=[STEADY, Objective(availability=0.9)])
    globals()["double"] = double
    with pytest.raises(DeclarationError, match="double promises availability twice"):
        describe(System("park", services=[double]))


def test_what_lasts_promises_no_latency() -> None:
    lasting = Service("lasting", store=DynamoDB())
    globals()["lasting"] = lasting

    @lasting.stream("/talk", access=anyone, objectives=[QUICK])
    async def talk() -> AsyncIterator[Update[int]]:
        """Talk."""
        yield Update(data=1)

    with pytest.raises(DeclarationError, match="lasts for as long as somebody listens"):
        describe(System("park", services=[lasting]))


def test_an_objective_is_no_number() -> None:
    wrong: Any = [0.999]
    with pytest.raises(DeclarationError, match="objectives= takes"):
        Service("wrong", objectives=wrong)
    with pytest.raises(DeclarationError, match="objectives= takes"):
        hut.get("/coffee", objectives=wrong)(tea)
