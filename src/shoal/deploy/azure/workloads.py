"""What runs: for each service a container app, and once for all the job that declares streams."""

from collections.abc import Iterator

import msgspec

from shoal.deploy.azure import addresses, mail, scaling, secrets
from shoal.deploy.azure.resources import Logs, Operator, Place, Registry, Workload
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud import telling
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.streams import declarations
from shoal.deploy.cloud.system import PORT
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.kubernetes.scope import grace
from shoal.model.plan import ServicePlan

LONGEST = 600
"""Seconds after which Container Apps kill a replica ("Health and lifecycle")."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the workloads of every service; a cluster has its own."""
    environment = scope.environment
    yield Logs(name="main", days=environment.keep_logs)
    if not scope.passive:
        copied = environment.standby.region if environment.standby is not None else ""
        tier, operators = environment.engines.registry, environment.operators
        yield Registry(name="main", tier=tier, copied=copied, operators=operators)
    if not scope.apps:
        return
    yield Place(name="main", redundant=environment.protected, why="Nothing outside reaches it but the gateway.")
    for service in scope.plan.services:
        yield _workload(scope, service)
    if scope.users("servicebus"):
        yield _operator(scope)


def _workload(scope: Scope, service: ServicePlan) -> Workload:
    declared, size = scope.declared(service), scope.size(service)
    return Workload(
        name=service.name,
        service=service.name,
        source=declared.source,
        why=declared.summary,
        cpu=size.cpu,
        memory=size.memory,
        version=scope.environment.version,
        least=size.least,
        most=size.most,
        busy=size.busy,
        scalers=tuple(scaling.rules(scope, service)),
        port=PORT,
        reached=scope.reached(service),
        exposed=service.name in scope.exposed,
        environment=told(scope, service),
        secrets=secrets.variables(scope, service),
        files=secrets.held(scope, service),
        grace=min(grace(declared), LONGEST),
        dapr=scope.environment.dapr,
        migrates=service.store is not None,
    )


def told(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List what a service is told that is no secret."""
    outside, held = scope.plan.system.gateway.issuers, secrets.files(scope, service)

    def place(file: str) -> str:
        return f"{addresses.FILES}/{held[file]}" if file in held else ""

    issuers = msgspec.json.encode(telling.placed(outside, place)).decode() if outside else None
    found = telling.told(
        scope, service, version=scope.environment.version, mesh="http://{service}", place=place, issuers=issuers
    )
    kept = secrets.variables(scope, service)
    said = {name: text for name, text in scope.environment.settings.items() if name not in kept}
    found |= mail.told(scope, service)
    return found | telling.wanted(scope, service, said) | addresses.plain(scope, service)


def _operator(scope: Scope) -> Operator:
    first = next(service for service in scope.plan.services if service.broker is not None)
    environment: dict[str, Value] = {
        "AZURE_CLIENT_ID": Ref("identity", "operator", "client"),
        "SHOAL_BROKER_URL": addresses.broker(),
        "SHOAL_STREAMS": declarations(scope.plan),
    }
    return Operator(
        name="operator",
        image=first.name,
        version=scope.environment.version,
        environment=environment,
        why="Start it after each change of events. Any image that speaks to the broker has what it takes.",
    )
