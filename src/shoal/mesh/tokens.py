"""Tokens and keys at the edge: the filter that verifies them, and its key sets, which change while requests flow."""

from collections.abc import Mapping

from shoal.mesh import filters, proto
from shoal.mesh.feature import Feature
from shoal.mesh.layout import Layout
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.artifact import Artifact
from shoal.model.issuers import CONSUMERS, OpenId, key_issuer
from shoal.model.plan import CallPlan, Plan, Route, ServicePlan
from shoal.model.sockets import BEARER
from shoal.model.system import Issuer

CLOCK_SKEW = 60
"""Seconds by which the clocks of issuer and edge may differ."""

TOKEN_CACHE = 1000
"""Verified tokens remembered by each worker; their expiry is still looked at each time."""

TOKENS = "ecds/tokens.json"
"""The artifact with the filter."""

VERIFIER = "envoy.filters.http.jwt_authn"
"""Name of the filter."""

CLAIMS = "claims"
"""Where the filter leaves the claims of the verified token, whoever issued it."""

HEADER = "header"
"""Where it leaves the token's own header."""

KEY_PREFIX = "shoal_"
"""How consumers' keys begin."""

SUBJECT = "x-shoal-subject"
ISSUER = "x-shoal-issuer"
"""Headers that tell applications who calls. Nothing of that name comes in from outside."""

FETCH_TIMEOUT = 5.0
"""Seconds for a fetch of keys; it is tried again after `FETCH_AGAIN`, and the keys of before stay meanwhile."""

FETCH_AGAIN = 2.0

_OFFERED = {"name": "sec-websocket-protocol", "value_prefix": BEARER}
"""Where pages send the token of a socket; services read it only there."""

_MESSAGE = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_PER_ROUTE = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
_EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"


def token_keys(plan: Plan, layout: Layout, texts: Mapping[str, str]) -> Artifact:
    """Make these the keys of their issuers: tokens of other keys get 401 at once.

    Envoy never reads a key set's file again, so new keys come as a new filter. Connections stay open.

    Args:
        plan: What runs.
        layout: Where.
        texts: Key sets (RFC 7517, as JSON) by issuer: empty for the system's own, ``consumer`` for the consumers', else
            the name of one outside. Those that are left out are read from their files.
    """
    return _file(_verifier(plan, layout, texts))


def is_judged(plan: Plan) -> bool:
    """Tell whether a verified token may not be enough somewhere, so that what it says is judged as well."""
    gateway = plan.system.gateway
    return bool(gateway.issuers or gateway.consumers or any(route.access.demands for route in plan.routes))


def leaves_claims(plan: Plan) -> bool:
    """Tell whether anybody reads what a token says: who judges it, or who tells refusals of the judge from others.

    A fault may answer 403 as well, which must not look like a token for another audience.
    """
    return is_judged(plan) or plan.target.faults


def remote_cluster(issuer: OpenId) -> str:
    """Name the cluster from which the keys of an issuer come."""
    return f"keys of {issuer.name}"


def _initial_keys(scope: Scope) -> tuple[Artifact, ...]:
    """Read the keys from the layout's files, once, when Envoy starts; nothing without an issuer."""
    plan, layout = scope.plan, scope.layout
    return (_file(_verifier(plan, layout, {})),) if plan.system.gateway.verifies else ()


def _filters(scope: Scope) -> tuple[Json, ...]:
    """Write the filter as the listener names it; nothing without an issuer."""
    if not scope.plan.system.gateway.verifies:
        return ()
    if scope.static:
        return ({"name": VERIFIER, "typed_config": _verifier(scope.plan, scope.layout, {})},)
    source = proto.watched(scope.layout.path(TOKENS))
    url = typed(_MESSAGE)["@type"]
    return (filters.discovered(VERIFIER, config_source=source, type_urls=[url]),)


def _route(_: Scope, route: Route) -> Json:
    """Ask for a token where a principal is asked for; elsewhere a bad one is passed on unread.

    Somebody whose token has just expired must still be able to log in.
    """
    if route.access.kind != "principal":
        return {}
    return {"typed_per_filter_config": {VERIFIER: typed(_PER_ROUTE, requirement_name="principal")}}


def _calling(scope: Scope, _: ServicePlan, __: CallPlan) -> Json:
    """Let no service say who called the system; it passes the token on, which the next one verifies."""
    return {"request_headers_to_remove": [SUBJECT, ISSUER]} if scope.plan.system.gateway.verifies else {}


def _file(verifier: Json) -> Artifact:
    return proto.discovery(TOKENS, [typed(_EXTENSION, name=VERIFIER, typed_config=verifier)])


def _verifier(plan: Plan, layout: Layout, texts: Mapping[str, str]) -> Json:
    gateway = plan.system.gateway
    providers: dict[str, Json] = {}
    if gateway.issuer is not None:
        kept = {"header_in_metadata": HEADER} if is_judged(plan) else {}
        kept |= _claims(("roles", "scope")) if leaves_claims(plan) else {}
        providers[gateway.issuer.service] = _own(gateway.issuer) | kept | _local(layout, texts, "")
    for issuer in gateway.issuers:
        keys = _remote(issuer) if issuer.remote and issuer.name not in texts else _local(layout, texts, issuer.name)
        providers[f"issuer {issuer.name}"] = _outside(issuer) | keys
    if gateway.consumers:
        providers[CONSUMERS] = _consumers(plan) | _local(layout, texts, CONSUMERS)
    found = [{"provider_name": name} for name in providers]
    required = found[0] if len(found) == 1 else {"requires_any": {"requirements": found}}
    if any(route.edge.socket is not None for route in plan.routes):
        for name in providers.keys() - {CONSUMERS}:
            providers[name]["from_headers"] = [*providers[name]["from_headers"], _OFFERED]
    return typed(_MESSAGE, providers=providers, requirement_map={"principal": required})


def _own(issuer: Issuer) -> Json:
    return _provider(issuer.name, "sub") | {"audiences": [issuer.audience]}


def _outside(issuer: OpenId) -> Json:
    words = [path[0] for path in (issuer.roles, issuer.scopes) if len(path) == 1]
    audiences = {"audiences": list(issuer.audiences)} if issuer.audience_claim == "aud" else {}
    return _provider(issuer.issuer, issuer.subject) | _claims(words) | audiences | {"header_in_metadata": HEADER}


def _consumers(plan: Plan) -> Json:
    name = key_issuer(plan.system.name)
    header = {"name": "x-api-key", "value_prefix": KEY_PREFIX}
    return _provider(name, "sub") | _claims(()) | {"audiences": [name], "from_headers": [header]}


def _claims(words: tuple[str, ...] | list[str]) -> Json:
    """Leave what the token says to other filters; the claims in `words` are lists, or words parted by spaces."""
    normal = {"space_delimited_claims": list(words)}
    return {"payload_in_metadata": CLAIMS, "normalize_payload_in_metadata": normal}


def _provider(issuer: str, subject: str) -> Json:
    """Write what all issuers have in common."""
    told = [{"header_name": SUBJECT, "claim_name": subject}, {"header_name": ISSUER, "claim_name": "iss"}]
    return {
        "issuer": issuer,
        "forward": True,  # the service verifies it again
        "claim_to_headers": told,
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],  # never from the query
        "clock_skew_seconds": CLOCK_SKEW,
        "require_expiration": True,
    }


def _local(layout: Layout, texts: Mapping[str, str], issuer: str) -> Json:
    text = texts.get(issuer)
    return {
        "local_jwks": {"filename": layout.jwks(issuer)} if text is None else {"inline_string": text},
        "jwt_cache_config": {"jwt_cache_size": TOKEN_CACHE},
    }


def _remote(issuer: OpenId) -> Json:
    """Fetch in the background, from the start on, so that no request waits; old keys stay while new ones are away.

    Verified tokens are not remembered: new keys do not make Envoy forget those of withdrawn ones.
    """
    return {
        "remote_jwks": {
            "http_uri": {
                "uri": issuer.keys,
                "cluster": remote_cluster(issuer),
                "timeout": seconds(FETCH_TIMEOUT),
            },
            "cache_duration": seconds(issuer.refresh),
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": seconds(FETCH_AGAIN)},
        }
    }


def _clusters(scope: Scope) -> tuple[Json, ...]:
    return tuple(_cluster(scope, issuer) for issuer in scope.plan.system.gateway.issuers if issuer.remote)


def _cluster(scope: Scope, issuer: OpenId) -> Json:
    """Reach the host of an issuer's keys, by TLS unless it is this machine."""
    host, port = issuer.key_host
    name = remote_cluster(issuer)
    address = {"socket_address": {"address": host, "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster: Json = {
        "name": name,
        "type": "LOGICAL_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": seconds(FETCH_TIMEOUT),
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }
    return cluster | ({"transport_socket": _tls(scope, host)} if issuer.keys.startswith("https:") else {})


def _tls(scope: Scope, host: str) -> Json:
    name = {"san_type": "DNS", "matcher": {"exact": host}}
    trusted = {"trusted_ca": {"filename": scope.layout.authorities}, "match_typed_subject_alt_names": [name]}
    context = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": trusted,
        },
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


FEATURE = Feature(
    edge_filters=_filters,
    edge_route=_route,
    outbound_route=_calling,
    clusters=_clusters,
    files=_initial_keys,
)
