"""What runs: for each service instances on Cloud Run, and once for all the job that declares streams."""

import math
from collections.abc import Iterator

import msgspec

from shoal.deploy.cloud import telling
from shoal.deploy.cloud.streams import declarations
from shoal.deploy.cloud.system import PORT
from shoal.deploy.cloud.values import Ref, Value, join
from shoal.deploy.gcp import addresses, secrets
from shoal.deploy.gcp.resources import Cluster, Logs, Operator, Pods, Repository, Resource, Workload
from shoal.deploy.gcp.scope import Scope
from shoal.model.plan import ServicePlan

OPERATOR = "operator"

MOST_TOGETHER, LONGEST = 1000, 3600
"""Requests that an instance of Cloud Run takes at a time, and seconds that one may take, at most."""

TOGETHER = 80
"""Requests at a time, where a service does not say that it takes fewer."""

GRACE = 8
"""Seconds that requests in progress get: an instance is killed ten after it is told to go ("Container contract")."""


POD, PROXY = (100, 192), (100, 128)
"""Thousandths of a processor and MiB that manifests promise a pod, and Istio a proxy, where nobody says otherwise."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the workloads of every service; images and logs are of both regions, where there are two."""
    if not scope.passive:
        yield Repository(name=scope.system)
        yield Logs(name="main", days=scope.environment.keep_logs)
    if not scope.run:
        pods = tuple(_pods(scope, service) for service in scope.plan.services)
        exposed = bool(scope.plan.routes)
        yield Cluster(name="main", protected=scope.environment.protected, pods=pods, exposed=exposed)
        return
    for service in scope.plan.services:
        yield _workload(scope, service)
    if scope.users("pubsub"):
        yield _operator(scope)


def _workload(scope: Scope, service: ServicePlan) -> Workload:
    declared, size = scope.declared(service), scope.measured(service)
    exposed = service.name in scope.exposed
    gateway = exposed and not scope.environment.balanced
    return Workload(
        name=service.name,
        service=service.name,
        source=declared.source,
        why=declared.summary,
        processors=size.processors,
        memory=size.mebibytes,
        version=scope.environment.version,
        least=size.least,
        most=size.most,
        together=min(MOST_TOGETHER, declared.traffic.requests, TOGETHER),
        always=scope.busy_alone(service),
        seconds=longest(service, scope),
        port=PORT,
        entry="everybody" if gateway else "balancer" if exposed or scope.environment.inside else "inside",
        open=exposed and not gateway,
        account=service.name,
        environment=told(scope, service),
        secrets=secrets.variables(scope, service),
        files=secrets.files(scope, service),
        collector=scope.environment.collector,
        protected=scope.environment.protected and not scope.passive,
    )


def _pods(scope: Scope, service: ServicePlan) -> Pods:
    least, most = max(1, scope.environment.least), scope.environment.most
    return Pods(
        service=service.name, least=least, most=max(least, most), millis=POD[0] + PROXY[0], memory=POD[1] + PROXY[1]
    )


def longest(service: ServicePlan, scope: Scope) -> int:
    """Say how many seconds the longest request of a service may take."""
    asked = max((endpoint.policy.timeout for endpoint in scope.declared(service).endpoints), default=60.0)
    return min(LONGEST, max(1, math.ceil(asked)))


def told(scope: Scope, service: ServicePlan) -> dict[str, Value]:
    """List what a service is told that is no secret."""
    issuers = scope.plan.system.gateway.issuers
    outside = (
        msgspec.json.encode(telling.placed(issuers, telling.inside(addresses.FILES))).decode() if issuers else None
    )
    found = telling.told(
        scope,
        service,
        version=scope.environment.version,
        mesh="",
        place=telling.inside(addresses.FILES),
        issuers=outside,
    )
    found = {name: addresses.placed(text) if isinstance(text, str) else text for name, text in found.items()}
    if scope.environment.collector:
        found["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:4318"
    found["SHOAL_DRAIN"] = str(min(int(str(found["SHOAL_DRAIN"])), GRACE))
    if service.calls:
        found["SHOAL_MESH"] = mesh(scope)
        found["SHOAL_CALLER"] = "google"
    if service.name in scope.exposed and not scope.environment.balanced:
        found["SHOAL_FORWARDED"] = "x-forwarded-authorization"
    return found | telling.wanted(scope, service, scope.environment.settings) | addresses.plain(scope, service)


def mesh(scope: Scope) -> Value:
    """Say where services find each other: each has an address that is known before it is there."""
    end = f".{scope.environment.region}.run.app"
    return join("https://{service}-", Ref("project", "own", "number"), end)


def inside(service: str, scope: Scope) -> str:
    """Say where the balancer inside has a service."""
    return f"http://{service}.{scope.domain}"


def _operator(scope: Scope) -> Operator:
    first = next(service for service in scope.plan.services if service.broker is not None)
    environment: dict[str, Value] = {
        "SHOAL_BROKER_URL": f"pubsub:///{scope.project}",
        "SHOAL_STREAMS": declarations(scope.plan),
    }
    return Operator(
        name=OPERATOR,
        image=first.name,
        version=scope.environment.version,
        account=OPERATOR,
        environment=environment,
        why="Run it after each change of events. Any image that speaks to the broker has what it takes.",
    )


def image(scope: Scope, name: str, version: str) -> str:
    """Name an image of the system."""
    return f"{scope.home}-docker.pkg.dev/{scope.project}/{scope.system}/{name}:{version}"
