"""Systems on AWS, their resources, and what is written for them."""

from functools import cache
from typing import TypeVar

from shoal.deploy.aws.compile import compile_aws
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Resource
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.settings import Environment
from shoal.deploy.aws.target import planned
from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
from shoal.model.artifact import Artifact
from shoal.model.system import System
from tests.deploy.samples import shop

R = TypeVar("R", bound=Resource)

PRODUCTION = Environment(
    name="production",
    repository="example/shop",
    alarms="somebody@example.com",
    budget=1000,
    collector="v1",
    web_acl="arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/b",
    certificate="arn:aws:acm:eu-central-1:123456789012:certificate/a",
    hosts=("shop.example",),
)
SMALL = Environment(name="dev", protected=False, gateways=1, zones=2, endpoints=False, least=1, most=1, cognito=True)


def scope_of(system: System, environment: Environment = PRODUCTION) -> Scope:
    return Scope(plan=planned(system, environment), environment=environment, valkey=(*COMMANDS, *CLUSTER_COMMANDS))


def artifacts(system: System, *environments: Environment) -> tuple[Artifact, ...]:
    return compile_aws(scope_of(system, environment) for environment in environments or (PRODUCTION,))


@cache
def shops() -> tuple[Resource, ...]:
    """List what the shop takes in production."""
    return resources(scope_of(shop()))


def of_kind(found: tuple[Resource, ...], kind: type[R]) -> dict[str, R]:
    return {one.name: one for one in found if isinstance(one, kind)}
