"""What Linkerd cannot express of what is declared."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.scope import Scope
from shoal.model.finding import Finding
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
    plain = Traffic()
    for service in scope.plan.services:
        traffic, where = scope.declared(service).traffic, scope.declared(service).source
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


def _say(number: str, severity: str, message: str, help_: str, where: str = "") -> Finding:
    return Finding(code=f"DEPLOY-MESH-{number}", severity=severity, message=message, help=help_, where=where)  # type: ignore[arg-type]
