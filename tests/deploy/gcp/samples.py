"""Systems on Google Cloud, their resources, and what is written for them."""

from functools import cache
from typing import TypeVar

from shoal.deploy.cloud.settings import Standby
from shoal.deploy.gcp.compile import compile_gcp
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Resource
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.settings import Environment
from shoal.deploy.gcp.target import planned
from shoal.model.artifact import Artifact
from shoal.model.system import System
from tests.deploy.samples import shop

R = TypeVar("R", bound=Resource)

PRODUCTION = Environment(
    name="production",
    project="example-shop",
    number=123456789012,
    hosts=("shop.example",),
    repository="example/shop",
    alarms="somebody@example.com",
    budget=1000,
    billing="012345-6789AB-CDEF01",
    collector="0.138.0",
    inside=True,
)
SMALL = Environment(name="dev", protected=False, least=0, most=1, keys=False, gateway=False)
FAR = Environment(name="far", project="example-shop", hosts=("shop.example",), standby=Standby(region="us-east1"))
CLUSTER = Environment(name="cluster", compute="kubernetes", repository="example/shop")


def scope_of(system: System, environment: Environment = PRODUCTION) -> Scope:
    return Scope(plan=planned(system, environment), environment=environment)


def artifacts(system: System, *environments: Environment) -> tuple[Artifact, ...]:
    return compile_gcp(scope_of(system, environment) for environment in environments or (PRODUCTION,))


@cache
def shops(environment: str = "production") -> tuple[Resource, ...]:
    """List what the shop takes in an environment."""
    known = {one.name: one for one in (PRODUCTION, SMALL, CLUSTER)}
    return resources(scope_of(shop(), known[environment]))


def of_kind(found: tuple[Resource, ...], kind: type[R]) -> dict[str, R]:
    return {one.name: one for one in found if isinstance(one, kind)}
