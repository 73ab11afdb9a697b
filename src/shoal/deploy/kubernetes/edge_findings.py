"""What the door by Gateway API cannot do of what endpoints ask of it."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import paths, rewriting
from shoal.deploy.kubernetes.edge import LARGEST, LEAKS, hosts, lost, served
from shoal.deploy.kubernetes.scope import Scope
from shoal.model.finding import Finding
from shoal.model.plan import Route
from shoal.model.service import Endpoint


def findings(scope: Scope) -> Iterator[Finding]:
    """List it, with the place of each endpoint."""
    for route in rewriting.asked(scope):
        yield from _route(scope, route)
    for first, second in paths.doubtful(served(scope)):
        yield _say(
            "01",
            "warning",
            f"some paths fit both {first} and {second}",
            "which one takes them is the gateway's choice: rename one",
        )
    for application in scope.plan.system.gateway.legacy:
        problem = (
            f"the old application {application.name} is not led to: its {len(application.routes)} routes are not there"
        )
        yield _say(
            "02", "warning", problem, "give it an HTTPRoute of yours, or take its paths over", application.source
        )
    if scope.plan.aliases and not scope.istio:
        header = scope.plan.system.gateway.versions.header
        problem = f"a request whose {header} names a version that there is not gets the lowest one, not 400"
        yield _say("03", "warning", problem, "use Istio, whose policy refuses it")
    if scope.plan.routes:
        yield from _every(scope)


def _every(scope: Scope) -> Iterator[Finding]:
    """Say what holds of every gateway of Gateway API."""
    if any(route.method in ("POST", "PUT", "PATCH") for route in scope.plan.routes):
        problem = "bodies of requests are measured by the services only, which refuse what is larger than declared"
        yield _say("07", "info", problem, "that costs them a connection")
    names = ", ".join(dict.fromkeys(host for one in scope.environments for host in hosts(scope, one)))
    yield _say("09", "info", f"the gateway answers to its names only: {names}", "say hosts = [...] of an environment")
    problem = (
        "what the gateway refuses has a status only: no problem document, no security headers, and 404 for 400 and 405"
    )
    yield _say("10", "info", problem, "clients must not rely on the body of a refusal")
    problem = "what a client says in x-forwarded-for is passed on, before the address that the gateway saw"
    yield _say("11", "info", problem, "believe its last entry only")
    problem = "names of headers with underscores are passed on, which some servers take for hyphens"
    yield _say("12", "info", problem, "services of Shoal do not; mind it where others run")
    problem = "traces begin in the gateway only where it has a provider of traces; services begin theirs anyway"
    yield _say("15", "info", problem, "name one: in Istio, meshConfig.extensionProviders and defaultProviders.tracing")
    if not scope.istio:
        problem = "compressed bodies come through, and sockets where there are none or for pages of others"
        yield _say("13", "warning", problem, "use Istio, whose policy refuses them")
        problem = "how a path is spelled is up to the gateway: it may not take //orders for /orders"
        yield _say("16", "info", problem, "see what it calls path normalization")


def _route(scope: Scope, route: Route) -> Iterator[Finding]:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    where = endpoint.source if isinstance(endpoint, Endpoint) else ""
    name, edge = f"{route.method} {route.path}", route.edge
    if rewriting.way(scope, route) is None:
        help_ = f"clients cannot ask for it: write an HTTPRoute of yours that rewrites it to {route.inside}"
        yield _say("04", "warning", f"{name} is not served: no rule can rewrite its path", help_, where)
    if left := lost(scope, route):
        help_ = 'say gateway_class = "istio", or take away fewer headers'
        yield _say("14", "warning", f"clients may say {', '.join(left)} in {name}", help_, where)
    if edge.transform is not None and len(edge.transform.response.remove) > LARGEST - len(LEAKS):
        more = edge.transform.response.remove[LARGEST - len(LEAKS) :]
        yield _say("17", "warning", f"answers of {name} keep {', '.join(more)}", "take away fewer headers", where)
    if edge.limit is not None:
        help_ = "add a limit of your gateway's own kind; the service itself counts nothing"
        yield _say("05", "warning", f"the rate limit of {name} does not hold", help_, where)
    if edge.transform is not None and (edge.transform.query.set or edge.transform.query.remove):
        yield _say("06", "warning", f"the query of {name} is not changed", "the service sees it as it came", where)
    if edge.compress:
        yield _say("08", "info", f"answers of {name} are not compressed", "let a content delivery network do it", where)


def _say(number: str, severity: str, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-EDGE-{number}", severity=severity, message=message, help=help_, where=where)  # type: ignore[arg-type]
