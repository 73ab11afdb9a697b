"""What Istio cannot express of what is declared."""

import re
from collections.abc import Iterator

from shoal.deploy.kubernetes import edge, paths
from shoal.deploy.kubernetes.istio import admission
from shoal.deploy.kubernetes.scope import Scope
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan

_PLAIN = re.compile(r"(?:[A-Za-z0-9._~/-]|\{\*\})*")
"""What proxies decode before they compare (RFC 3986, 6.2.2.2)."""


def findings(scope: Scope) -> Iterator[Finding]:
    """List it."""
    yield from _tokens(scope)
    if scope.plan.routes:
        yield from _gateway(scope)
    yield from _everywhere(scope)
    for service in scope.plan.services:
        declared = scope.declared(service)
        key, where = declared.traffic.hash_by, declared.source
        if key is not None and key.parameter:
            message = (
                f"requests of {service.name} are not kept together by {key.parameter!r}: Istio reads no path parameter"
            )
            yield _say("03", "info", message, "hash by a header, or do without: it is a matter of speed", where)
        if declared.traffic.health is not None:
            message = f"replicas of {service.name} are asked by the kubelet every 5 s, not by callers"
            yield _say("04", "info", message, "readiness decides who gets requests", where)
        if declared.traffic.shed is not None:
            message = f"{service.name} does not shed load before its bound of {declared.traffic.requests} requests"
            yield _say("05", "warning", message, "lower Traffic(requests=...), or let more replicas run", where)
        yield from _paths(scope, service)
    if scope.environments[0].gateway_class != "istio" and scope.plan.routes:
        message = f"a gateway of class {scope.environments[0].gateway_class} is no part of the mesh, which refuses it"
        yield _say("02", "error", message, 'say gateway_class = "istio"')


def _everywhere(scope: Scope) -> Iterator[Finding]:
    """Say how its proxies differ from the laptop's, whatever is declared."""
    message = "where Istio is installed by default, //orders is not /orders, and a slash that is escaped is no mistake"
    yield _say("17", "info", message, "set meshConfig.pathNormalization.normalization = DECODE_AND_MERGE_SLASHES")
    if scope.mesh == "istio-ambient":
        message = "services do not learn who calls them: a waypoint keeps x-forwarded-client-cert to itself"
        yield _say("19", "info", message, "who was signed in is in the token, which comes through")
        return
    message = "a call that nobody has declared may get 404 from the caller's proxy, not 403"
    yield _say("20", "info", message, "it does not pass in either case")
    message = "what a caller writes into x-forwarded-client-cert stays there, before what the proxy saw"
    yield _say("21", "info", message, "believe its last entry only, as Shoal does")


def _gateway(scope: Scope) -> Iterator[Finding]:
    """Say how its gateway differs from the laptop's, whatever is declared."""
    message = (
        "the gateway's policy refuses before a route is looked for: 403 stands for 400, 401, 404, 405 and 415, too"
    )
    yield _say("14", "info", message, "whoever gets 403 without having said a token may say one")
    if edge.verifies(scope):
        message = "a token that is not valid is refused everywhere, also where nobody has to be signed in"
        yield _say("15", "info", message, "clients leave out tokens that have expired")
        message = "the gateway takes tokens that never expire; services refuse them"
        yield _say("16", "info", message, "nothing to do")


def _paths(scope: Scope, service: ServicePlan) -> Iterator[Finding]:
    """Refuse paths that a policy would read as more than they are, and name those that can be spelled otherwise."""
    where = scope.declared(service).source
    for grant in service.grants:
        if "*" in grant.path:
            message = f"a policy reads the * of {grant.method} {grant.path} of {service.name} as any text"
            yield _say("10", "error", message, "choose another path", where)
        odd = [path for path in paths.closer(grant, service.grants) if not _PLAIN.fullmatch(path)]
        for path in odd:
            message = (
                f"{grant.method} {path} of {service.name} may be spelled with %, and then be taken for {grant.path}"
            )
            yield _say("13", "warning", message, "use letters, digits and -._~ in paths beside templates", where)


def _tokens(scope: Scope) -> Iterator[Finding]:
    gateway = scope.plan.system.gateway
    if gateway.issuer is not None and not edge.publishes(scope):
        message = f"the gateway cannot fetch the keys of {gateway.issuer.service}, and lets services verify its tokens"
        yield _say("06", "warning", message, "expose /.well-known/jwks.json")
    for issuer in gateway.issuers:
        if not issuer.remote:
            message = f"the gateway cannot read the file with the keys of {issuer.name}: services verify its tokens"
            yield _say("07", "warning", message, "give its keys by URL")
    if gateway.consumers:
        yield _say(
            "08",
            "info",
            "keys of consumers are verified by the services, not by the gateway",
            "they refuse what they do not know",
        )
    for route in scope.plan.routes:
        if any(not admission.textual(claim.values) for claim in route.access.claims):
            message = f"what {route.method} {route.path} asks of claims that are no texts is judged by the service"
            yield _say("09", "info", message, "nothing to do")


def _say(number: str, severity: str, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-MESH-{number}", severity=severity, message=message, help=help_, where=where)  # type: ignore[arg-type]
