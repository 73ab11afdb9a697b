"""What goes wrong on purpose, in one environment: calls that are late, or answered by an error."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.istio.calls import uri
from shoal.deploy.kubernetes.naming import APPLICATION, PORT, SYSTEM
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment, Strike
from shoal.deploy.yaml import Json
from shoal.mesh.routes import in_order
from shoal.model.fault import edges
from shoal.model.finding import Finding
from shoal.model.plan import GATEWAY


def struck(scope: Scope, environment: Environment, callee: str) -> list[Json]:
    """Write the routes of a VirtualService that strike; they come before all others."""
    return [
        _route(scope, strike, number)
        for number, strike in enumerate(environment.faults, start=1)
        if strike.callee == callee and _endpoints(scope, strike) and strike.caller != GATEWAY
    ]


def findings(scope: Scope) -> Iterator[Finding]:
    """Say which faults strike nobody."""
    for environment in scope.environments:
        for strike in environment.faults:
            told = strike.fault().edge
            if not _endpoints(scope, strike):
                message = f"{environment.name} strikes {told}, which nobody calls"
                yield Finding(code="DEPLOY-FAULT-01", severity="error", message=message, help="name a declared call")
            elif scope.mesh != "istio" or strike.caller == GATEWAY:
                message = f"{environment.name} does not strike {told}: only Istio in the caller's pod can"
                help_ = 'say mesh = "istio", and name a service as the caller'
                yield Finding(code="DEPLOY-FAULT-02", severity="warning", message=message, help=help_)


def _endpoints(scope: Scope, strike: Strike) -> tuple[str, ...]:
    known = edges(scope.plan).get((strike.caller, strike.callee), ())
    return tuple(one for one in known if strike.endpoint in ("", one))


def _route(scope: Scope, strike: Strike, number: int) -> Json:
    caller = {APPLICATION: strike.caller, SYSTEM: scope.system}
    grants = [g for g in in_order(scope.plan.service(strike.callee).grants) if g.endpoint in _endpoints(scope, strike)]
    share, fault = {"value": strike.percent}, dict[str, Json]()
    if strike.delay:
        fault["delay"] = {"percentage": share, "fixedDelay": paths.milliseconds(strike.delay)}
    if strike.abort:
        fault["abort"] = {"percentage": share, "httpStatus": strike.abort}
    return {
        "name": f"fault-{number}",
        "match": [{"method": {"exact": g.method}, "uri": uri(g), "sourceLabels": caller} for g in grants],
        "fault": fault,
        "route": [{"destination": {"host": strike.callee, "port": {"number": PORT}}}],
    }
