"""What nobody may ask of any operation: a policy that refuses comes before those that allow."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import edge, paths
from shoal.deploy.kubernetes.istio import who
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Sheet, sheet
from shoal.deploy.yaml import Json
from shoal.model.cors import ANY

NAME = "edge-refused"


def sheet_of(scope: Scope, environment: Environment) -> Sheet:
    """Write the policy of an environment, which knows the gateway's own names."""
    body: Json = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": NAME, "labels": labels(scope.system, NAME, "edge")},
        "spec": {**who.gateway(), "action": "DENY", "rules": list(rules(scope, environment))},
    }
    why = "Nobody sends bodies whose size says little, or opens sockets where there are none, or for pages of others."
    return sheet(f"overlays/{environment.name}/refused.yaml", body, why=why)


def rules(scope: Scope, environment: Environment) -> Iterator[Json]:
    """Write what is refused."""
    yield {"when": [{"key": "request.headers[content-encoding]", "values": ["*"], "notValues": ["identity"]}]}
    sockets = sorted({paths.template(route.path) for route in edge.served(scope) if route.edge.socket is not None})
    upgrade: Json = {"key": "request.headers[upgrade]", "values": ["*"]}
    beside = {"to": [{"operation": {"notPaths": sockets}}]} if sockets else {}
    yield {**beside, "when": [upgrade]}
    known = origins(scope, environment)
    if sockets and known is not None:
        other = {"key": "request.headers[origin]", "values": ["*"], "notValues": known}
        yield {"to": [{"operation": {"paths": sockets}}], "when": [upgrade, other]}


def origins(scope: Scope, environment: Environment) -> list[str] | None:
    """List the origins whose pages may open sockets: the gateway's own and those that its CORS names; None is any."""
    cors = scope.plan.system.gateway.cors
    named = () if cors is None else cors.origins
    own = [f"https://{host}" for host in edge.hosts(scope, environment)]
    return None if ANY in named else list(dict.fromkeys([*own, *named]))
