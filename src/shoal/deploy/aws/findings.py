"""What AWS cannot express of a system, and what an environment lacks."""

from collections import Counter
from collections.abc import Iterator

from shoal.deploy.aws import addresses, edge, forward, mail, pods, second
from shoal.deploy.aws.network import PORTS
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.scope import OWN, Scope
from shoal.deploy.cloud import findings as cloud
from shoal.deploy.cloud.files import ALL
from shoal.model.edge import LARGEST
from shoal.model.finding import Finding
from shoal.model.plan import Route

_LARGEST = 10 * 1024**2
"""Bytes of a body that an HTTP API takes (API Gateway quotas)."""

_HEARERS = 100
"""Subscriptions of an ordered topic (SNS quotas)."""

_ROUTES = 300
"""Routes of an API, unless AWS grants more (API Gateway quotas)."""


_say = cloud.teller("AWS")


def findings(scope: Scope) -> Iterator[Finding]:
    """List it, with the place of each declaration."""
    yield from (one for one in scope.plan.findings if one.severity == "error")
    yield from cloud.engines(scope, _say, "AWS", OWN)
    yield from cloud.settings(scope, _say, {one for s in scope.plan.services for one in mail.told(scope, s)})
    yield from mail.findings(scope, _say)
    yield from _named(scope)
    yield from _streams(scope)
    yield from _kept(scope)
    yield from forward.findings(scope, _say)
    yield from second.findings(scope, _say)
    if scope.environment.eks:
        yield from _cluster(scope)
        return
    yield from _door(scope)
    for route in scope.plan.routes:
        yield from _route(scope, route)
    if any(service.calls for service in scope.plan.services):
        message = "calls between services are let through by service, not by operation, and are in plain text inside"
        yield _say("10", "info", message, "ask for compute = 'eks' with a mesh where that is not enough")


def _named(scope: Scope) -> Iterator[Finding]:
    """Refuse services that are called as something beside them is: Terraform would know two by one name."""
    known = Counter((type(one).__name__, one.name) for one in resources(scope))
    odd = {name for (_, name), count in known.items() if count > 1}
    odd |= {service.name for service in scope.plan.services if service.name in ("edge", "alarms", ALL)}
    for name in sorted(odd):
        where = next((s.source for s in scope.plan.system.services if s.name == name), "")
        message = f"{name} is the name of a service, and of what is made beside it"
        yield _say("25", "error", message, "name the service after what it does", where)


def _streams(scope: Scope) -> Iterator[Finding]:
    consumers = Counter(c.stream for s in scope.plan.services if s.broker is not None for c in s.broker.consumers)
    crowded = {stream: count for stream, count in consumers.items() if count > _HEARERS}
    if scope.users("sns"):
        for stream, count in crowded.items():
            message = f"{count} queues would hear the topic of {stream}, which takes {_HEARERS}"
            yield _say("17", "error", message, "choose another broker, or divide the service that publishes")


def _door(scope: Scope) -> Iterator[Finding]:
    gateway = scope.plan.system.gateway
    if gateway.verifies and scope.plan.routes and not edge.authorizers(scope):
        message = "tokens are verified by the services, not by the gateway, which knows one issuer by https at most"
        yield _say("03", "info", message, "they refuse what is not signed for them")
    for application in gateway.legacy:
        message = f"the old application {application.name} is not led to"
        yield _say("06", "warning", message, "add its routes to the API, or take its paths over", application.source)
    if len(edge.served(scope)) > _ROUTES:
        message = f"{len(edge.served(scope))} routes are more than the {_ROUTES} that an API may have at first"
        yield _say("16", "warning", message, "ask AWS for a higher quota of API Gateway: routes for each API")
    if scope.plan.aliases:
        message = f"versions are found by their paths only: the header {gateway.versions.header} is not looked at"
        yield _say("07", "warning", message, "call /v2/...")
    if scope.plan.routes:
        message = "the headers by which answers protect browsers are not added"
        yield _say("08", "info", message, "let a distribution of CloudFront add them, which also serves the pages")
    if scope.plan.routes and not scope.environment.web_acl:
        message = f"{scope.environment.name} has no firewall before its API"
        yield _say("12", "info", message, "apply firewall.yaml, and name what it made: web_acl = 'arn:...'")


def _route(scope: Scope, route: Route) -> Iterator[Finding]:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    where, name = endpoint.source if endpoint is not None else "", f"{route.method} {route.path}"
    if route.edge.socket is not None:
        yield _say("05", "warning", f"{name} is not served: an HTTP API has no WebSockets", "use Kubernetes", where)
    elif route.edge.stream is not None or route.policy.timeout > edge.LONGEST:
        help_ = "clients come again, or ask another way"
        yield _say("05", "warning", f"{name} ends after {edge.LONGEST:g} s, whatever it says", help_, where)
    limit = route.edge.limit
    if limit is not None and limit.by != "everyone":
        help_ = "firewall.yaml limits each address; give the limit by='everyone' where that is meant"
        yield _say("04", "warning", f"the rate limit of {name} does not hold for each caller", help_, where)
    if route.edge.largest > _LARGEST:
        yield _say("11", "warning", f"bodies of {name} above 10 MiB are refused", "let clients bring objects", where)
    elif route.edge.largest != LARGEST:
        yield _say("11", "info", f"the size of bodies of {name} is bounded by the service only", "no need", where)
    transform = route.edge.transform
    if transform is not None:
        asked = [*transform.request.set, *transform.request.add, *transform.request.remove]
        refused = sorted({header for header in asked if edge.fixed(header)})
        if refused:
            yield _say("13", "warning", f"{name} cannot have {', '.join(refused)} changed", "AWS keeps it", where)
        said = {**transform.request.set, **transform.request.add, **transform.query.set}
        for key, value in sorted(said.items()):
            if value.startswith("$") or "${" in value:
                message = f"{name} cannot set {key} to {value!r}: an HTTP API would read it as the name of a variable"
                yield _say("27", "error", message, "let the service set it", where)


def _kept(scope: Scope) -> Iterator[Finding]:
    """Say who hears nothing, and what does not change by itself."""
    name = scope.environment.name
    if not scope.environment.alarms:
        message = f"nobody hears the alarms of {name}"
        yield _say("18", "warning", message, "write who does: alarms = 'somebody@example.com', and confirm the letter")
    if any(addresses.passwords(scope, service) for service in scope.plan.services):
        message = f"passwords of engines in {name} stay as they are: services read them when they start"
        yield _say("19", "info", message, "count passwords up in the environment's file, and apply")


def _cluster(scope: Scope) -> Iterator[Finding]:
    """Say what a cluster of Kubernetes lacks here."""
    environment, name = scope.environment, scope.environment.name
    yield from pods.findings(scope)
    if environment.mesh == "app-mesh":
        message = "App Mesh ended on 30 September 2026: nothing can be made in it any more"
        yield _say("20", "error", message, "write mesh = 'istio', or compute = 'fargate', which has Service Connect")
    if environment.nodes.most > environment.nodes.least:
        message = f"nodes of {name} do not follow the load by themselves: there are {environment.nodes.least}"
        yield _say("21", "info", message, "install an autoscaler of nodes, which may have up to nodes.most")
    if any(scope.users(engine) for engine in PORTS):
        message = f"databases of {name} let in all nodes: policies hold back pods that have none, passwords the others"
        yield _say("26", "warning", message, "use compute = 'fargate' where groups are to tell services apart, too")
    if scope.plan.routes and not environment.gateways:
        message = f"{name} has no public subnets, so its gateway has no address outside"
        yield _say("22", "warning", message, "write gateways = 1, or more")
    if environment.web_acl or environment.secured:
        message = f"web_acl, certificate and zone of {name} are for an API; the gateway in the cluster reads neither"
        yield _say("23", "warning", message, "keep the certificate in the Secret edge-certificate of the namespace")
    if environment.cognito:
        yield _say("24", "warning", f"the gateway of {name} does not know the pool of users", "declare it as an issuer")
