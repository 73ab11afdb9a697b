"""The same declaration has the same bounds on every cloud, and KEDA hears of what waits for each consumer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.aws.parts import resources as on_aws
from shoal.deploy.aws.resources import Workload as Task
from shoal.deploy.aws.settings import Environment as Aws
from shoal.deploy.azure import naming
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Workload
from shoal.deploy.azure.settings import Environment, Size
from shoal.deploy.gcp.parts import resources as on_google
from shoal.deploy.gcp.resources import Workload as Instance
from shoal.deploy.gcp.settings import Environment as Google
from shoal.deploy.kubernetes.scaling import WAITING
from tests.deploy.aws import samples as aws
from tests.deploy.azure.samples import of_kind, scope_of, shops
from tests.deploy.gcp import samples as google
from tests.deploy.samples import shop

BOUNDS = st.tuples(st.integers(1, 6), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(BOUNDS, BOUNDS, st.integers(1, 100))
def test_bounds_agree_with_those_of_the_other_clouds(
    everyone: tuple[int, int], orders: tuple[int, int], busy: int
) -> None:
    said: dict[str, Any] = {"name": "p", "least": everyone[0], "most": everyone[1]}
    said["services"] = {"orders": Size(least=orders[0], most=orders[1], busy=busy)}
    here = of_kind(resources(scope_of(shop(), Environment(**said))), Workload)
    tasks = aws.of_kind(on_aws(aws.scope_of(shop(), Aws(**_sized(said, Task)))), Task)
    instances = google.of_kind(
        on_google(google.scope_of(shop(), Google(**_sized(said, Instance)))),
        Instance,
    )
    bounds = {name: (one.least, one.most) for name, one in here.items()}
    assert bounds["orders"] == orders
    assert bounds == {name: (one.least, one.most) for name, one in tasks.items()}
    assert bounds == {name: (one.least, one.most) for name, one in instances.items()}
    assert {name: one.busy for name, one in here.items()} == {name: one.busy for name, one in tasks.items()}
    assert next(one for one in here["orders"].scalers if one.kind == "cpu").about["value"] == str(busy)


def test_replicas_follow_what_waits_in_each_subscription() -> None:
    plan = scope_of(shop()).plan
    for name, one in of_kind(shops(), Workload).items():
        broker = plan.service(name).broker
        consumers = [c for c in broker.consumers if not c.durable.endswith("-again")] if broker else []
        asked = [rule.about for rule in one.scalers if rule.identified]
        assert [(a["topicName"], a["subscriptionName"]) for a in asked] == [
            (c.stream, naming.subscription(c.durable)) for c in consumers
        ]
        assert {a["messageCount"] for a in asked} <= {str(WAITING)}
        assert len({rule.name for rule in one.scalers}) == len(one.scalers)


@pytest.mark.parametrize("wrong", [{"cpu": 100}, {"cpu": 256, "memory": 1024}, {"cpu": 8192, "memory": 16384}])
def test_what_container_apps_do_not_have_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no size of a container app"):
        Environment(name="p", services={"orders": Size(**wrong)})


def _sized(said: dict[str, Any], kind: type) -> dict[str, Any]:
    """Say the same in the words of another cloud, whose sizes are its own."""
    from shoal.deploy.aws.settings import Size as TaskSize  # noqa: PLC0415 - beside the others' it would hide ours
    from shoal.deploy.gcp.settings import Size as InstanceSize  # noqa: PLC0415

    own = TaskSize if kind is Task else InstanceSize
    services = {name: own(least=one.least, most=one.most, busy=one.busy) for name, one in said["services"].items()}
    return {**said, "services": services}
