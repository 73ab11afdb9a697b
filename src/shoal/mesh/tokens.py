"""Tokens at the edge: the filter that verifies them, and its keys, which change while requests flow."""

from shoal.mesh import filters, proto
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.artifact import Artifact
from shoal.model.plan import Plan, Route
from shoal.model.system import Issuer

CLOCK_SKEW = 60
"""Seconds by which the clocks of issuer and edge may differ."""

TOKEN_CACHE = 1000
"""Verified tokens remembered by each worker; their expiry is still looked at each time."""

TOKENS = "ecds/tokens.json"
"""The artifact with the filter."""

_FILTER = "envoy.filters.http.jwt_authn"
_MESSAGE = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_PER_ROUTE = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
_EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"


def token_keys(plan: Plan, jwks: str) -> Artifact:
    """Make these the keys of the issuer (a JWK set, RFC 7517, as JSON): tokens of other keys get 401 at once.

    Envoy never reads a JWKS file again, so new keys come as a new filter. Connections stay open.
    """
    issuer = plan.system.gateway.issuer
    return _file([] if issuer is None else [_verifier(issuer, {"inline_string": jwks})])


def _initial_keys(scope: Scope) -> tuple[Artifact, ...]:
    """Read the keys from the layout's JWKS file, once, when Envoy starts; nothing without an issuer."""
    issuer = scope.plan.system.gateway.issuer
    return () if issuer is None else (_file([_verifier(issuer, {"filename": scope.layout.jwks()})]),)


def _filters(scope: Scope) -> tuple[Json, ...]:
    """Write the filter as the listener names it; nothing without an issuer."""
    issuer = scope.plan.system.gateway.issuer
    if issuer is None:
        return ()
    if scope.static:
        return ({"name": _FILTER, "typed_config": _verifier(issuer, {"filename": scope.layout.jwks()})},)
    source = proto.watched(scope.layout.path(TOKENS))
    url = typed(_MESSAGE)["@type"]
    return (filters.discovered(_FILTER, config_source=source, type_urls=[url]),)


def _route(_: Scope, route: Route) -> Json:
    """Ask for a token where a principal is asked for; elsewhere a bad one is passed on unread.

    Somebody whose token has just expired must still be able to log in.
    """
    if route.access.kind != "principal":
        return {}
    return {"typed_per_filter_config": {_FILTER: typed(_PER_ROUTE, requirement_name="principal")}}


def _file(verifiers: list[Json]) -> Artifact:
    extensions = [typed(_EXTENSION, name=_FILTER, typed_config=verifier) for verifier in verifiers]
    return proto.discovery(TOKENS, extensions)


def _verifier(issuer: Issuer, keys: Json) -> Json:
    provider = {
        "issuer": issuer.name,
        "audiences": [issuer.audience],
        "local_jwks": keys,
        "forward": True,  # the service verifies it again
        "payload_in_metadata": "claims",
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],  # never from the query
        "clock_skew_seconds": CLOCK_SKEW,
        "require_expiration": True,
        "jwt_cache_config": {"jwt_cache_size": TOKEN_CACHE},
    }
    required = {"principal": {"provider_name": issuer.service}}
    return typed(_MESSAGE, providers={issuer.service: provider}, requirement_map=required)


FEATURE = Feature(edge_filters=_filters, edge_route=_route, files=_initial_keys)
