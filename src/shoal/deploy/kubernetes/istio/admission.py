"""Tokens at the door: whose are believed, and which operations a principal may ask for. Services verify them again."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import edge
from shoal.deploy.kubernetes.istio import refusals, who
from shoal.deploy.kubernetes.istio.access import operations, policy
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, sheet
from shoal.deploy.yaml import Json
from shoal.mesh.routes import in_order
from shoal.mesh.tokens import ISSUER, KEY_PREFIX, SUBJECT
from shoal.model.access import Access
from shoal.model.issuers import Consumer, OpenId
from shoal.model.plan import Route
from shoal.model.versioning import NONE, Wanted


def make(scope: Scope) -> Iterator[Made]:
    """Make the policy of the door, and for each environment the issuers."""
    if not scope.plan.routes:
        return
    body = policy(scope, edge.EDGE, who.gateway(), list(rules(scope)), "edge")
    yield sheet(
        "base/edge/access.yaml", body, why="What has no route, or asks for more than the caller has, ends here."
    )
    for environment in scope.environments:
        yield refusals.sheet_of(scope, environment)
        if found := list(issuers(scope, environment)):
            why = "Whoever runs the mesh fetches keys from outside of it, and so by the public name."
            yield sheet(f"overlays/{environment.name}/tokens.yaml", _tokens(scope, found), why=why)


def issuers(scope: Scope, environment: Environment) -> Iterator[Json]:
    """Write whose tokens are believed, as far as their keys can be fetched."""
    gateway = scope.plan.system.gateway
    told = [{"header": SUBJECT, "claim": "sub"}, {"header": ISSUER, "claim": "iss"}]
    if gateway.issuer is not None and edge.publishes(scope):
        keys = f"https://{scope.hosts(environment)[0]}{edge.JWKS_PATH}"
        audiences = {"audiences": [gateway.issuer.audience]}
        yield {
            "issuer": gateway.issuer.name,
            **audiences,
            "jwksUri": keys,
            "forwardOriginalToken": True,
            "outputClaimToHeaders": told,
        }
    for issuer in gateway.issuers:
        if issuer.remote:
            audiences = {"audiences": list(issuer.audiences)} if issuer.audience_claim == "aud" else {}
            own = [{"header": SUBJECT, "claim": issuer.subject}, told[1]]
            yield {
                "issuer": issuer.issuer,
                **audiences,
                "jwksUri": issuer.keys,
                "forwardOriginalToken": True,
                "outputClaimToHeaders": own,
            }


def rules(scope: Scope) -> Iterator[Json]:
    """Write who may ask for what: operations with the same demands share rules."""
    alike: dict[str, tuple[Access, list[Json], list[Route]]] = {}
    routes = in_order(edge.served(scope))
    for route in routes:
        wanted = [] if route.wanted is None else [_version(route.wanted)]
        alike.setdefault(repr((route.access, wanted)), (route.access, wanted, []))[2].append(route)
    for access, wanted, some in alike.values():
        asked = operations(some, routes)
        for source in _sources(scope, access):
            when = [*source.get("when", ()), *wanted]
            yield {**source, **({"when": when} if when else {}), "to": asked}
    if scope.plan.system.gateway.cors is not None:  # a preflight has no token, and asks for nothing
        yield {"to": [{"operation": {"methods": ["OPTIONS"]}}]}


def _version(wanted: Wanted) -> Json:
    """Ask for what a request says of its version; one that there is not is nobody's."""
    key = f"request.headers[{wanted.header}]"
    return {"key": key, "notValues": ["*"]} if wanted.value == NONE else {"key": key, "values": [wanted.value]}


def _sources(scope: Scope, access: Access) -> Iterator[Json]:
    """Write the callers that an operation takes: anybody, or principals of each issuer that can meet its demands."""
    gateway = scope.plan.system.gateway
    if access.kind == "anyone" or not _verifiable(scope):
        yield {}
        return
    if not access.consumers:
        if gateway.issuer is not None and edge.publishes(scope):
            yield _principals(gateway.issuer.name, _demands(access, ("roles",), ("scope",)))
        elif gateway.issuer is not None:
            yield {"when": [{"key": "request.headers[authorization]", "values": ["Bearer *"]}]}
        for issuer in gateway.issuers:
            if (issuer.roles or not access.roles) and (issuer.scopes or not access.scopes):
                yield _outside(issuer, access)
    if any(_may(consumer, access) for consumer in gateway.consumers):  # their keys are verified by the service
        yield {"when": [{"key": "request.headers[x-api-key]", "values": [f"{KEY_PREFIX}*"]}]}


def _outside(issuer: OpenId, access: Access) -> Json:
    if not issuer.remote:
        return {"when": [{"key": "request.headers[authorization]", "values": ["Bearer *"]}]}
    required = [_claim((name,), [value]) for name, value in sorted(issuer.required.items())]
    if issuer.audience_claim != "aud":
        required.append(_claim((issuer.audience_claim,), list(issuer.audiences)))
    return _principals(issuer.issuer, [*required, *_demands(access, issuer.roles, issuer.scopes)])


def _principals(issuer: str, demands: list[Json]) -> Json:
    source: Json = {"from": [{"source": {"requestPrincipals": [f"{issuer}/*"]}}]}
    return {**source, "when": demands} if demands else source


def _demands(access: Access, roles: tuple[str, ...], scopes: tuple[str, ...]) -> list[Json]:
    found = [_claim(roles, list(access.roles))] if access.roles else []
    found += [_claim(scopes, [scope]) for scope in access.scopes]
    return found + [_claim((c.name,), [str(v) for v in c.values]) for c in access.claims if textual(c.values)]


def textual(values: tuple[str | bool, ...]) -> bool:
    """Tell whether a claim is compared with texts, which is all that a policy of Istio can do."""
    return all(isinstance(value, str) for value in values)


def _claim(path: tuple[str, ...], values: list[str]) -> Json:
    return {"key": "request.auth.claims" + "".join(f"[{part}]" for part in path), "values": values}


def _verifiable(scope: Scope) -> bool:
    return scope.plan.system.gateway.verifies


def _may(consumer: Consumer, access: Access) -> bool:
    """Tell whether a consumer's key could open an endpoint."""
    asks = bool(access.roles or access.scopes or access.consumers)
    named = not access.consumers or consumer.name in access.consumers
    has = (not access.roles or not set(access.roles).isdisjoint(consumer.roles)) and set(access.scopes) <= set(
        consumer.scopes
    )
    return asks and named and has and not access.claims


def _tokens(scope: Scope, found: list[Json]) -> Json:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": edge.EDGE, "labels": labels(scope.system, edge.EDGE, "edge")},
        "spec": {**who.gateway(), "jwtRules": found},
    }
