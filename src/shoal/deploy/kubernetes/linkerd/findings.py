"""What Linkerd cannot express of what is declared."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.linkerd import besides
from shoal.deploy.kubernetes.linkerd.render import PROBED
from shoal.deploy.kubernetes.scope import Scope
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan
from shoal.model.traffic import Outliers, Traffic


def findings(scope: Scope) -> Iterator[Finding]:
    """List it."""
    if scope.plan.system.gateway.verifies:
        yield _say(
            "11",
            "warning",
            "tokens are verified by the services only, not at the gateway",
            "use a gateway that verifies them, too",
        )
    yield from _everywhere()
    plain = Traffic()
    for service in scope.plan.services:
        traffic, where = scope.declared(service).traffic, scope.declared(service).source
        yield from _beside(service, where)
        lost = [
            word
            for word, is_asked in (
                (
                    "bounds of connections and requests",
                    traffic.requests != plain.requests or traffic.connections != plain.connections,
                ),
                ("a key that keeps requests together", traffic.hash_by is not None),
                ("rests of replicas that fail", traffic.outliers != Outliers()),
                ("shedding", traffic.shed is not None),
                ("replicas that are near", traffic.zones == "near"),
            )
            if is_asked
        ]
        if lost:
            yield _say(
                "12",
                "warning",
                f"{service.name} asks for what Linkerd does not have: {', '.join(lost)}",
                "use Istio, or do without",
                where,
            )


def _everywhere() -> Iterator[Finding]:
    """Say how its proxies differ from the laptop's, whatever is declared."""
    message = "how long a call may take is up to the caller: Linkerd's proxies end none"
    yield _say("22", "info", message, "services do, by the policy of the operation")
    message = "Linkerd refuses with 404 what no route fits, and answers callers without a certificate, too: 403"
    yield _say("23", "info", message, "nothing passes in either case")
    message = "services do not learn who calls them: Linkerd says it in a header of its own"
    yield _say("24", "info", message, "who was signed in is in the token, which comes through")


def _beside(service: ServicePlan, where: str) -> Iterator[Finding]:
    for grant in service.grants:
        if len(besides.match(grant, service.grants, PROBED)["value"]) > besides.LONGEST:
            message = f"too many paths lie beside {grant.method} {grant.path} of {service.name} for Linkerd to tell"
            yield _say("25", "error", message, "use Istio, or other paths", where)


def _say(number: str, severity: str, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-MESH-{number}", severity=severity, message=message, help=help_, where=where)  # type: ignore[arg-type]
