"""The proxies of pods in Linkerd, beside a gateway of Istio's class, in one Envoy."""

from collections.abc import Iterator, Sequence

from tests.istiod import proxies, wires
from tests.istiod.cluster import Workload
from tests.istiod.known import Document, Json, Unknown, named, specification, typed
from tests.istiod.proxies import Told
from tests.istiod.routing import Match, PathMatch
from tests.linkerd.policies import (
    AuthorizationPolicy,
    MeshTLSAuthentication,
    NetworkAuthentication,
    Route,
    Server,
)

_GROUP = "policy.linkerd.io"
_KINDS = ("Server", "HTTPRoute", "AuthorizationPolicy", "MeshTLSAuthentication", "NetworkAuthentication")
_RBAC = "envoy.filters.http.rbac"


def bootstrap(told: Told, documents: Sequence[Document], *, oldest_last: bool) -> Json:
    """Write the whole configuration of Envoy.

    Args:
        told: What `tests.istiod` has read of the same documents.
        documents: All of them.
        oldest_last: Whether routes count in the order of their names, or in the opposite one.

    Raises:
        Unknown: A document of Linkerd's is of a kind or has a field that is not translated.
    """
    for one in documents:
        if one["apiVersion"].partition("/")[0].endswith("linkerd.io") and one["kind"] not in _KINDS:
            raise Unknown(f"{one['kind']} {one['metadata']['name']} is not translated")
    found: list[Json] = []
    for workload in told.cluster.workloads.values():
        if workload.name in told.cluster.gateways:
            found += proxies.gateway(told, workload)
        else:
            found += _pod(told, workload, _routes(told, documents, workload, oldest_last=oldest_last))
    return proxies.assembled(told, found)


def _routes(told: Told, documents: Sequence[Document], workload: Workload, *, oldest_last: bool) -> list[Json]:
    servers = {name: specification(one, Server) for name, one in named(documents, "Server", _GROUP).items()}
    own = {name for name, one in servers.items() if one.pod_selector.match_labels.items() <= workload.labels.items()}
    if not own:
        return [_route(f"{workload.name}|", Match(path=PathMatch()), [{"any": True}])]
    routes = {name: specification(one, Route) for name, one in named(documents, "HTTPRoute", _GROUP).items()}
    found = []
    for name in sorted(routes, reverse=oldest_last):
        if any(one.kind == "Server" and one.name in own for one in routes[name].parent_refs):
            who = list(_allowed(told, documents, name))
            found += [_route(f"{workload.name}|", match, who) for rule in routes[name].rules for match in rule.matches]
    return found


def _allowed(told: Told, documents: Sequence[Document], route: str) -> Iterator[Json]:
    """List who may: each policy is enough, and asks for all that it requires."""
    accounts, networks = (named(documents, kind, _GROUP) for kind in _KINDS[3:])
    for one in named(documents, "AuthorizationPolicy", _GROUP).values():
        policy = specification(one, AuthorizationPolicy)
        if (policy.target_ref.kind, policy.target_ref.name) != ("HTTPRoute", route):
            continue
        asked: list[Json] = []
        for required in policy.required_authentication_refs:
            if required.kind == "MeshTLSAuthentication":
                names = specification(accounts[required.name], MeshTLSAuthentication).identity_refs
                some = [{"authenticated": {"principal_name": {"exact": told.cluster.identity(n.name)}}} for n in names]
                asked.append({"or_ids": {"ids": some}})
            else:
                specification(networks[required.name], NetworkAuthentication)
                asked.append({"any": True})
        yield {"and_ids": {"ids": asked}}


def _route(cluster: str, match: Match, who: list[Json]) -> Json:
    rules: Json = {"action": "ALLOW", "policies": {}}
    if who:
        rules["policies"]["route"] = {"permissions": [{"any": True}], "principals": who}
    return {
        "match": _match(match),
        "route": {"cluster": cluster, "timeout": "0s"},
        "typed_per_filter_config": {
            _RBAC: typed("envoy.extensions.filters.http.rbac.v3.RBACPerRoute", rbac={"rules": rules})
        },
    }


def _match(match: Match) -> Json:
    value = match.path.value
    paths: Json = {"Exact": {"path": value}, "RegularExpression": {"safe_regex": {"regex": value}}}
    found: Json = paths.get(match.path.type, {"prefix": value})
    return {**found, "headers": [{"name": ":method", "string_match": {"exact": match.method}}] if match.method else []}


def _pod(told: Told, workload: Workload, routes: list[Json]) -> Iterator[Json]:
    """Write the proxy of a pod: it takes plain text too, whose caller is nobody, and changes no path."""
    yield wires.plain(f"{workload.name}|", told.place.application(workload.name))
    host = {"name": "in", "domains": ["*"], "routes": routes}
    rbac = [{"name": _RBAC, "typed_config": typed("envoy.extensions.filters.http.rbac.v3.RBAC")}]  # routes have rules
    http = wires.manager(f"in.{workload.name}", [host], rbac, told.log(), normalize_path=False)
    secured = wires.server(told.place, workload.account, asked=False)
    chains = [
        {"filters": [http], "transport_socket": secured, "filter_chain_match": {"transport_protocol": "tls"}},
        {"filters": [http], "filter_chain_match": {"transport_protocol": "raw_buffer"}},
    ]
    yield wires.listener(f"in.{workload.name}", wires.pipe(told.place.inbound(workload.name)), chains)
    yield from proxies.clusters(told, workload)
    yield proxies.outbound(told, workload)
