"""What the door by Gateway API cannot do of what endpoints ask of it."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.edge import served
from shoal.deploy.kubernetes.scope import Scope
from shoal.model.edge import LARGEST
from shoal.model.finding import Finding
from shoal.model.plan import Route
from shoal.model.service import Endpoint


def findings(scope: Scope) -> Iterator[Finding]:
    """List it, with the place of each endpoint."""
    for route in scope.plan.routes:
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
    if scope.plan.aliases:
        header = scope.plan.system.gateway.versions.header
        yield _say(
            "03",
            "warning",
            f"versions are found by their paths only: the header {header} is not looked at",
            "call /v2/...",
        )


def _route(scope: Scope, route: Route) -> Iterator[Finding]:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    where = endpoint.source if isinstance(endpoint, Endpoint) else ""
    name, edge = f"{route.method} {route.path}", route.edge
    if route.path != route.inside:
        help_ = f"clients cannot ask for it: write an HTTPRoute of yours that rewrites it to {route.inside}"
        yield _say("04", "warning", f"{name} is not served: its path inside is another one", help_, where)
    if edge.limit is not None:
        help_ = "add a limit of your gateway's own kind; the service itself counts nothing"
        yield _say("05", "warning", f"the rate limit of {name} does not hold", help_, where)
    if edge.transform is not None and (edge.transform.query.set or edge.transform.query.remove):
        yield _say("06", "warning", f"the query of {name} is not changed", "the service sees it as it came", where)
    if edge.largest != LARGEST:
        yield _say(
            "07",
            "info",
            f"the size of bodies of {name} is bounded by the service only",
            "that costs it a connection",
            where,
        )
    if edge.compress:
        yield _say("08", "info", f"answers of {name} are not compressed", "let a content delivery network do it", where)


def _say(number: str, severity: str, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-EDGE-{number}", severity=severity, message=message, help=help_, where=where)  # type: ignore[arg-type]
