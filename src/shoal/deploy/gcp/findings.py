"""What Google Cloud cannot express of a system, and what an environment lacks."""

from collections.abc import Iterator

from shoal.deploy.cloud import findings as cloud
from shoal.deploy.cloud.findings import teller
from shoal.deploy.gcp import addresses, edge, naming, second, target
from shoal.deploy.gcp.scope import OWN, Scope
from shoal.deploy.gcp.workloads import GRACE
from shoal.deploy.kubernetes.scope import DRAIN, drain
from shoal.model.edge import LARGEST
from shoal.model.finding import Finding
from shoal.model.plan import Route, ServicePlan
from shoal.model.service import path_parameters

_say = teller("GCP")

_LARGEST = 32 * 1024**2
"""Bytes of a request by HTTP/1 that Cloud Run takes ("Quotas and limits")."""

_ROUTES = 200
"""Rules of one balancer's table of routes ("Quotas and limits: URL maps")."""

_GATEWAYS = (
    *("asia-northeast1", "australia-southeast1", "europe-west1", "europe-west2", "us-central1", "us-east1"),
    *("us-east4", "us-west2", "us-west3", "us-west4"),
)
"""Regions that have API Gateway ("Deployment model")."""

_ADVANCED = 20
"""Rules with expressions that a project may have in its firewalls at first (Cloud Armor quotas)."""


def findings(scope: Scope) -> Iterator[Finding]:
    """List it, with the place of each declaration."""
    yield from (one for one in scope.plan.findings if one.severity == "error")
    yield from second.findings(scope, _say)
    yield from cloud.engines(scope, _say, "Google Cloud", OWN, naming.secret)
    yield from _instead(scope)
    if scope.run:
        yield from _door(scope)
        for route in scope.plan.routes:
            yield from _route(scope, route)
        for service in scope.plan.services:
            yield from _service(scope, service)
    yield from cloud.settings(scope, _say)
    yield from _project(scope)


def _instead(scope: Scope) -> Iterator[Finding]:
    for service in scope.plan.services:
        declared, plan = scope.declared(service), service
        pairs = (
            ("store", declared.store.production or declared.store.engine if declared.store else "", plan.store),
            ("search", declared.search.production or declared.search.engine if declared.search else "", plan.search),
        )
        for role, meant, planned in pairs:
            if planned is not None and meant in target.INSTEAD and planned.engine == target.INSTEAD[meant]:
                message = (
                    f"{planned.engine} stands for {meant}, the {role} of {service.name}, which Google does not run"
                )
                help_ = f"choose = ['{service.name}.{role}={meant}'] where somebody else runs one"
                yield _say("17", "info", message, help_, declared.source)
    for service in scope.users("gcs"):
        message = f"the objects of {service.name} are reached by a key, which somebody makes"
        help_ = f"fill in its secret: {addresses.filled(scope, service, 'gcs')}"
        yield _say("18", "info", message, help_, scope.declared(service).source)
    if len(scope.users("valkey")) > 1:
        message = "services that have a part of the cache could see each other's: Memorystore knows no users"
        yield _say("19", "warning", message, "have one of them without a cache, or a cache of others by choose")


def _door(scope: Scope) -> Iterator[Finding]:
    gateway, balanced = scope.plan.system.gateway, scope.environment.balanced
    if gateway.verifies and scope.plan.routes:
        message = "tokens are verified by the services, not by the door"
        yield _say("03", "info", message, "they refuse what is not signed for them")
    for application in gateway.legacy:
        message = f"the old application {application.name} is not led to"
        yield _say("06", "warning", message, "add its routes to the door, or take its paths over", application.source)
    if scope.plan.aliases:
        message = f"versions are found by their paths only: the header {gateway.versions.header} is not looked at"
        yield _say("07", "warning", message, "call /v2/...")
    if balanced and len(edge.served(scope)) > _ROUTES:
        message = f"{len(edge.served(scope))} routes are more than the {_ROUTES} rules that a balancer has"
        yield _say("16", "error", message, "divide the system, or take a gateway: door = 'gateway'")
    limited = {repr(route.edge.limit) for route in scope.plan.routes if route.edge.limit is not None}
    if balanced and scope.environment.firewall and len(limited) > _ADVANCED:
        message = f"{len(limited)} limits of requests are more rules than the {_ADVANCED} that a project has at first"
        yield _say("20", "warning", message, "ask Google for a higher quota of Cloud Armor's rules")
    if scope.plan.routes and not balanced and gateway.cors is not None:
        message = "an API Gateway answers no preflight of browsers by itself"
        yield _say("21", "warning", message, "take a balancer: hosts = [...]")
    if scope.plan.routes and not balanced and scope.environment.region not in _GATEWAYS:
        message = f"API Gateway is not known to be in {scope.environment.region}"
        yield _say("27", "warning", message, f"take a balancer: hosts = [...], or a region of {', '.join(_GATEWAYS)}")
    if scope.plan.routes and balanced:
        message = "services behind the balancer are reached by everything in the network, too, and verify tokens there"
        yield _say("10", "info", message, "a gateway says who it is: door = 'gateway'")


def _route(scope: Scope, route: Route) -> Iterator[Finding]:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    where, name = endpoint.source if endpoint is not None else "", f"{route.method} {route.path}"
    balanced = scope.environment.balanced
    if route.edge.socket is not None and not balanced:
        yield _say("05", "warning", f"{name} is not served: an API Gateway has no WebSockets", "hosts = [...]", where)
    if route.inside != route.path and not balanced and path_parameters(route.inside):
        message = f"{name} is not served: an API Gateway changes no path with parameters"
        yield _say("26", "warning", message, "hosts = [...]", where)
    if "*" in route.path:
        message = f"{name} would serve whatever stands where its '*' does: Google's doors take it for anything"
        yield _say("29", "error", message, "write another path", where)
    limit = route.edge.limit
    if limit is not None and not (balanced and scope.environment.firewall):
        help_ = "take a balancer with its firewall: hosts = [...]"
        yield _say("04", "warning", f"the rate limit of {name} does not hold at the door", help_, where)
    elif limit is not None:
        kept = edge.counted(limit)
        message = f"the rate limit of {name} is counted over {kept.seconds} s"
        yield _say("04", "info", message, "no need, unless a burst hurts", where)
        if limit.whose(signed_in=route.access.kind == "principal") == "principal":
            message = f"the rate limit of {name} is for each address, not for each principal"
            help_ = "a firewall verifies no token; write by='address' where that is meant"
            yield _say("28", "warning", message, help_, where)
    if route.edge.largest > _LARGEST:
        yield _say("11", "warning", f"bodies of {name} above 32 MiB are refused", "let clients bring objects", where)
    elif route.edge.largest != LARGEST:
        yield _say("11", "info", f"the size of bodies of {name} is bounded by the service only", "no need", where)
    transform = route.edge.transform
    if transform is not None and (transform.query.set or transform.query.remove):
        yield _say("13", "warning", f"the query of {name} is not changed at the door", "read it in the service", where)


def _service(scope: Scope, service: ServicePlan) -> Iterator[Finding]:
    declared = scope.declared(service)
    if drain(declared) > DRAIN[0]:
        message = f"requests of {service.name} in progress get {GRACE} s when an instance goes, not {drain(declared)}"
        yield _say("12", "info", message, "clients come again, or ask another way", declared.source)
    if scope.size(service).least == 0 and scope.busy_alone(service):
        message = f"{service.name} has one instance at rest: it works while nobody asks it"
        yield _say("22", "info", message, "no need", declared.source)


def _project(scope: Scope) -> Iterator[Finding]:
    environment = scope.environment
    if not environment.project:
        message = f"{environment.name} is meant for the project {scope.project}, whose id somebody else may have"
        yield _say("23", "info", message, "write whose it is: project = '...'")
    if environment.budget and not environment.billing:
        message = f"the budget of {environment.name} is of no billing account, and nobody hears of it"
        yield _say("24", "warning", message, "write billing = '012345-6789AB-CDEF01'")
    if environment.protected and not environment.alarms:
        yield _say("25", "info", f"nobody hears the alarms of {environment.name}", "write alarms = 'ADDRESS'")
