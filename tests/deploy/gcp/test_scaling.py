"""The same declaration has the same bounds on every cloud; what works by itself has its processors at all times."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.aws.parts import resources as on_aws
from shoal.deploy.aws.resources import Workload as Task
from shoal.deploy.aws.settings import Environment as Aws
from shoal.deploy.aws.settings import Size as TaskSize
from shoal.deploy.cloud import settings as cloud
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Workload
from shoal.deploy.gcp.settings import PROCESSORS, Environment, Size
from tests.deploy.aws import samples as aws
from tests.deploy.gcp.samples import of_kind, scope_of, shops
from tests.deploy.samples import shop

BOUNDS = st.tuples(st.integers(1, 6), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(BOUNDS, BOUNDS)
def test_bounds_agree_with_those_of_fargate(everyone: tuple[int, int], orders: tuple[int, int]) -> None:
    least, most = everyone
    own = Size(least=orders[0], most=orders[1]), TaskSize(least=orders[0], most=orders[1])
    here = scope_of(shop(), Environment(name="p", least=least, most=most, services={"orders": own[0]}))
    there = aws.scope_of(shop(), Aws(name="p", least=least, most=most, services={"orders": own[1]}))
    found = {name: (w.least, w.most) for name, w in of_kind(resources(here), Workload).items()}
    other = {name: (w.least, w.most) for name, w in aws.of_kind(on_aws(there), Task).items()}
    assert found == other
    assert found["orders"] == orders


@given(st.integers(1, 8 * 1024), st.integers(1, 32768))
def test_an_instance_has_room_for_what_is_asked(cpu: int, memory: int) -> None:
    size = Size(cpu=cpu, memory=memory)
    least, most = PROCESSORS[size.processors]
    assert size.processors * 1024 >= cpu
    assert memory <= size.mebibytes
    assert least <= size.mebibytes <= most
    smaller = [one for one in PROCESSORS if one < size.processors]
    assert not any(one * 1024 >= cpu and memory <= PROCESSORS[one][1] for one in smaller)


def test_who_works_by_itself_has_an_instance_and_its_processors_at_all_times() -> None:
    scope = scope_of(shop(), Environment(name="p", least=0, most=3))
    made = of_kind(resources(scope), Workload)
    for service in scope.plan.services:
        alone = service.store is not None or service.broker is not None
        assert made[service.name].always == alone
        assert made[service.name].least == (1 if alone else 0)
    assert {name for name, one in made.items() if one.least == 0} == {"mobile", "partner", "web"}


def test_an_instance_takes_as_many_requests_as_its_service_says() -> None:
    made = of_kind(shops(), Workload)
    assert made["partner"].together == 32
    assert made["orders"].together == 80


@pytest.mark.parametrize("wrong", [{"cpu": 9000}, {"memory": 40000}, {"spot": True}, {"least": 5, "most": 2}])
def test_what_cloud_run_does_not_have_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"Cloud Run|least"):
        Size(**wrong)  # type: ignore[arg-type]


def test_sizes_are_said_in_the_words_of_all_clouds() -> None:
    fields = {field.name for field in msgspec.structs.fields(Size)}
    assert fields == {field.name for field in msgspec.structs.fields(cloud.Size)}
