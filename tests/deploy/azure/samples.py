"""Systems on Azure, their resources, and what is written for them."""

from functools import cache
from typing import TypeVar

from msgspec.structs import replace

from shoal.deploy.azure.compile import compile_azure
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.scope import Scope
from shoal.deploy.azure.settings import Engines, Environment, Mail, Size
from shoal.deploy.azure.target import planned
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.settings import Standby
from shoal.model.artifact import Artifact
from shoal.model.system import System
from tests.deploy.samples import shop

R = TypeVar("R", bound=Resource)

PRODUCTION = Environment(
    name="production",
    repository="example/shop",
    alarms="somebody@example.com",
    budget=1000,
    operators=("203.0.113.7",),
    hosts=("shop.example",),
    certificate="https://example.vault.azure.net/secrets/shop",
    engines=Engines(servicebus="Premium", registry="Premium"),
    services={"orders": Size(cpu=512, memory=1024, most=8, busy=60)},
)
SMALL = Environment(
    name="dev", protected=False, gateway="Developer_1", least=1, most=1, engines=Engines(postgres="B_Standard_B1ms")
)
FAR = Environment(
    name="far", operators=("203.0.113.7",), engines=Engines(registry="Premium"), standby=Standby(region="centralus")
)
MAIL = Mail(
    data="Europe",
    domain="mail.shop.example",
    sender="orders",
    verified=True,
    tells={"NOTIFICATIONS__COMMUNICATION_URL": "address", "NOTIFICATIONS__SENDER": "sender"},
)
POST = Environment(name="post", gateway="Developer_1", operators=("203.0.113.7",), mail=MAIL, dapr=True)
"""E-mail in the name of a domain of ours, and Dapr."""
UNSEEN = replace(POST, name="unseen", mail=replace(MAIL, verified=False))
LENT = replace(POST, name="lent", mail=Mail(data="United States", tells=MAIL.tells))
"""E-mail in the name of a domain of Azure's."""
CLUSTER = Environment(name="cluster", compute="kubernetes", repository="example/shop")


def scope_of(system: System, environment: Environment = PRODUCTION) -> Scope:
    return Scope(plan=planned(system, environment), environment=environment)


def artifacts(system: System, *environments: Environment) -> tuple[Artifact, ...]:
    return compile_azure(scope_of(system, environment) for environment in environments or (PRODUCTION,))


@cache
def shops(environment: str = "production") -> tuple[Resource, ...]:
    """List what the shop takes in an environment."""
    known = {one.name: one for one in (PRODUCTION, SMALL, CLUSTER)}
    return resources(scope_of(shop(), known[environment]))


def of_kind(found: tuple[Resource, ...], kind: type[R]) -> dict[str, R]:
    return {one.name: one for one in found if isinstance(one, kind)}
