"""Who passes the edge: what a route asks of its principal, judged by the claims that the filter of tokens left.

The service judges again, and it alone knows whose a resource is. Here the wrong ones cost nothing.
"""

from collections.abc import Iterable

from shoal.mesh.feature import Feature
from shoal.mesh.filters import http_filter
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.mesh.tokens import CLAIMS, HEADER, VERIFIER
from shoal.model.access import Access
from shoal.model.claims import Claim
from shoal.model.issuers import Consumer, OpenId, key_issuer
from shoal.model.plan import Plan, Route

_FILTER = "envoy.filters.http.rbac"
_PER_ROUTE = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"


def judges(plan: Plan, route: Route) -> bool:
    """Tell whether not every verified token will do for a route."""
    gateway = plan.system.gateway
    if route.access.kind != "principal":
        return False
    return route.access.demands or bool(gateway.issuers or gateway.consumers)


def _filters(scope: Scope) -> tuple[Json, ...]:
    if not any(judges(scope.plan, route) for route in scope.plan.routes):
        return ()
    return (http_filter(_FILTER),)


def _route(scope: Scope, route: Route) -> Json:
    if not judges(scope.plan, route):
        return {}
    admitted = list(_admitted(scope.plan, route.access))
    rules: Json = {"action": "ALLOW"}
    if admitted:
        rules["policies"] = {route.endpoint: {"permissions": [{"any": True}], "principals": admitted}}
    return {"typed_per_filter_config": {_FILTER: typed(_PER_ROUTE, rbac={"rules": rules})}}


def _admitted(plan: Plan, access: Access) -> Iterable[Json]:
    """Describe the principals that may pass, one entry for each issuer that has such."""
    gateway = plan.system.gateway
    if not access.consumers:
        if gateway.issuer is not None:
            own = [_said("iss", gateway.issuer.name), *_plain()]
            yield _all([*own, *_demands(access, ("roles",), ("scope",))])
        for issuer in gateway.issuers:
            if (issuer.roles or not access.roles) and (issuer.scopes or not access.scopes):
                yield _all([*_genuine(issuer), *_demands(access, issuer.roles, issuer.scopes)])
    names = [consumer.name for consumer in gateway.consumers if _may(consumer, access)]
    if names:
        yield _all([_said("iss", key_issuer(plan.system.name)), _any([_said("sub", name) for name in names])])


def _may(consumer: Consumer, access: Access) -> bool:
    """Tell whether a consumer's key opens an endpoint; one that asks for nothing is not meant for programs."""
    if not (access.roles or access.scopes or access.consumers) or access.claims:
        return False
    return (
        (not access.roles or not set(access.roles).isdisjoint(consumer.roles))
        and set(access.scopes) <= set(consumer.scopes)
        and (not access.consumers or consumer.name in access.consumers)
    )


def _genuine(issuer: OpenId) -> list[Json]:
    """Check of a token of an issuer outside what the filter of tokens cannot: how it is signed, and what it is."""
    found = [_said("iss", issuer.issuer), *_plain()]
    found.append(_any([_metadata((HEADER, "alg"), _text(algorithm)) for algorithm in issuer.algorithms]))
    if issuer.audience_claim != "aud":
        found.append(_any([_said(issuer.audience_claim, audience) for audience in issuer.audiences]))
    return found + [_said(name, value) for name, value in sorted(issuer.required.items())]


def _plain() -> list[Json]:
    """Refuse tokens that ask to be read in their own way, which the filter of tokens overlooks (RFC 7515, 4.1.11)."""
    return [{"not_id": _metadata((HEADER, name), {"present_match": True})} for name in ("crit", "b64")]


def _demands(access: Access, roles: tuple[str, ...], scopes: tuple[str, ...]) -> list[Json]:
    found = []
    if access.roles:
        found.append(_any([_metadata((CLAIMS, *roles), _one_or_in_list(_text(role))) for role in access.roles]))
    found += [_metadata((CLAIMS, *scopes), _one_or_in_list(_text(scope))) for scope in access.scopes]
    return found + [_claim(claim) for claim in access.claims]


def _claim(claim: Claim) -> Json:
    wanted = [_text(v) if isinstance(v, str) else {"bool_match": v} for v in claim.values]
    return _any([_metadata((CLAIMS, claim.name), _one_or_in_list(value)) for value in wanted])


def _said(name: str, value: str) -> Json:
    return _metadata((CLAIMS, name), _one_or_in_list(_text(value)) if name not in ("iss", "sub") else _text(value))


def _metadata(path: tuple[str, ...], value: Json) -> Json:
    matcher = {"filter": VERIFIER, "path": [{"key": key} for key in path], "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher}}


def _text(value: str) -> Json:
    return {"string_match": {"exact": value}}


def _one_or_in_list(value: Json) -> Json:
    return {"or_match": {"value_matchers": [value, {"list_match": {"one_of": value}}]}}


def _all(ids: list[Json]) -> Json:
    return {"and_ids": {"ids": ids}}


def _any(ids: list[Json]) -> Json:
    return ids[0] if len(ids) == 1 else {"or_ids": {"ids": ids}}


FEATURE = Feature(edge_filters=_filters, edge_route=_route)
