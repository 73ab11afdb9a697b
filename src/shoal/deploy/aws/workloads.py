"""What runs: for each service tasks on Fargate, and once for all the task that declares streams."""

from collections.abc import Iterator

import msgspec

from shoal.deploy.aws import addresses, mail, secrets
from shoal.deploy.aws.resources import Cluster, Logs, Operator, Repository, Resource, Workload
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud import streams, telling
from shoal.deploy.cloud.system import PORT
from shoal.deploy.cloud.values import Ref, Value, join
from shoal.deploy.kubernetes.scope import drain, grace
from shoal.model.issuers import Cognito
from shoal.model.plan import ServicePlan

LONGEST = 120
"""Seconds after which Fargate kills a task (ECS developer guide, "stopTimeout")."""

LARGEST = 24 * 1024
"""Bytes of declarations in one definition of a task, which AWS takes up to 64 KiB, quotes written twice."""

OPERATOR = "operator"
"""Who declares streams."""

_POOL, _CLIENT = "eu-west-1_POOL", "CLIENT"


def make(scope: Scope) -> Iterator[Resource]:
    """Make the workloads of every service."""
    if scope.environment.eks:
        yield from _stored(scope)
        return
    yield Cluster(name="main", insights=scope.environment.protected)
    days = scope.environment.keep_logs
    yield from _stored(scope)
    for service in scope.plan.services:
        yield Logs(name=service.name, service=service.name, days=days)
        yield _workload(scope, service)
    if scope.operated:
        yield from _operators(scope)


def _stored(scope: Scope) -> Iterator[Resource]:
    """Make what is needed wherever containers run: images."""
    for service in scope.plan.services:
        yield Repository(name=service.name, service=service.name)
    if scope.environment.collector and not scope.environment.eks:
        yield Repository(name="collector")


def _workload(scope: Scope, service: ServicePlan) -> Workload:
    declared, size, environment = scope.declared(service), scope.size(service), scope.environment
    return Workload(
        name=service.name,
        service=service.name,
        source=declared.source,
        why=declared.summary,
        cpu=size.cpu,
        memory=size.memory,
        architecture=environment.architecture,
        version=environment.version,
        least=size.least,
        most=size.most,
        busy=size.busy,
        spot=size.spot,
        port=PORT,
        exposed=service.name in scope.exposed,
        environment=told(scope, service),
        secrets=secrets.variables(scope, service),
        files=secrets.files(scope, service),
        grace=min(grace(declared), LONGEST),
        drain=drain(declared),
        collector=environment.collector,
        migrates=service.store is not None,
        passive=_passive(scope, service),
    )


def _passive(scope: Scope, service: ServicePlan) -> int | None:
    """Say how many tasks run in a second region before it takes over: none of what keeps something, as it could not."""
    if scope.first is None or scope.first.standby is None:
        return None
    return scope.first.standby.copies if service.store is None else 0


def told(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List what a service is told that is no secret."""
    gateway, environment = scope.plan.system.gateway, scope.environment
    found = telling.told(
        scope,
        service,
        version=environment.version,
        mesh=f"http://{{service}}:{PORT}",
        place=telling.inside(addresses.FILES),
        issuers=_issuers(scope) if gateway.issuers or environment.cognito else None,
    )
    if environment.collector:
        found["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:4318"
    found |= mail.told(scope, service)
    return found | telling.wanted(scope, service, environment.settings) | addresses.plain(scope, service)


def _issuers(scope: Scope) -> Value:
    """List issuers outside as JSON; what the pool is called is known to AWS alone."""
    found = telling.placed(scope.plan.system.gateway.issuers, telling.inside(addresses.FILES))
    if scope.environment.cognito:
        found.append(Cognito(scope.environment.region, _POOL, _CLIENT, name="pool"))
    parts: list[str | Ref] = []
    for number, before in enumerate(msgspec.json.encode(found).decode().split(_POOL)):
        parts += [Ref("pool", "main", "id")] if number else []
        for position, text in enumerate(before.split(f'"{_CLIENT}"')):
            parts += ['"', Ref("pool", "main", "client"), '"'] if position else []
            parts.append(text)
    return join(*parts)


def _operators(scope: Scope) -> Iterator[Operator]:
    """Make the operator's task, in as many parts as definitions of tasks can hold."""
    first = next(service for service in scope.plan.services if service.broker is not None)
    for number, text in enumerate(streams.parts(scope.plan, LARGEST), 1):
        environment: dict[str, Value] = {
            "SHOAL_BROKER_URL": f"sns:///{scope.system}?region={scope.environment.region}",
            "SHOAL_STREAMS": text,
        }
        yield Operator(
            name=OPERATOR if number == 1 else f"{OPERATOR}-{number}",
            image=first.name,
            version=scope.environment.version,
            architecture=scope.environment.architecture,
            environment=environment,
            why="Run it after each change of events. Any image that speaks to the broker has what it takes.",
        )
