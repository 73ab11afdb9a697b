"""Every proxy of a namespace in one Envoy: the gateway, those in pods, ztunnel before pods, and a waypoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tests.istiod import filters, routes, wires
from tests.istiod.cluster import INGRESS, Cluster, Service, Workload
from tests.istiod.known import Json, Unknown, typed
from tests.istiod.policies import ProxyConfig, ProxyHeaders
from tests.istiod.routing import Gateway, HttpRoute, Match, Rule
from tests.istiod.wires import Place

PORT = 8080
"""Port of every service."""

_SHOWN = {"subject": True, "uri": True, "dns": True}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is translated, and what istiod would have found outside."""

    cluster: Cluster
    place: Place
    keys: Mapping[str, str]
    """Address of keys → what it answers."""
    ambient: bool = False
    merging: bool = False
    """Whether ``meshConfig.pathNormalization`` is DECODE_AND_MERGE_SLASHES; Istio is installed with BASE by default."""

    def log(self) -> list[Json]:
        """Write what is logged."""
        asked = [one.filter.expression for t in self.cluster.telemetries.values() for one in t.access_logging]
        return wires.access_log(self.place, asked)

    def paths(self) -> Json:
        """Say how paths are read, besides what is always so."""
        unescaped = {"merge_slashes": True, "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"}
        return unescaped if self.merging else {}

    def hash_of(self, service: str) -> str:
        """Name the header that keeps requests of a service together."""
        rule = self.cluster.destination(service)
        told = rule.traffic_policy.load_balancer.consistent_hash if rule is not None else None
        return told.http_header_name if told is not None else ""


def bootstrap(told: Told) -> Json:
    """Write the whole configuration of Envoy."""
    found: list[Json] = []
    for workload in told.cluster.workloads.values():
        if workload.name in told.cluster.gateways:
            found += waypoint(told, workload) if workload.waypoint else gateway(told, workload)
        else:
            found += pod(told, workload)
    return assembled(told, found)


def assembled(told: Told, found: Sequence[Json]) -> Json:
    """Put listeners and clusters together."""
    return {
        "node": {"id": "translated", "cluster": told.cluster.namespace},
        "admin": {"address": wires.pipe(told.place.admin)},
        "static_resources": {
            "listeners": [one for one in found if "filter_chains" in one],
            "clusters": [one for one in found if "load_assignment" in one],
        },
    }


def clusters(told: Told, caller: Workload) -> Iterator[Json]:
    """Lead a proxy to every service; what a waypoint stands before is reached through it, but by itself."""
    for service in told.cluster.services.values():
        pods = told.cluster.pods(service)
        if not pods:
            continue
        before = _before(told, service, caller)
        paths = [told.place.waypoint(service.name)] if before else [told.place.inbound(one.name) for one in pods]
        accounts = {before.account} if before else {one.account for one in pods}
        tls = wires.client(told.place, caller.account, sorted(map(told.cluster.identity, accounts)), service.name)
        rule = told.cluster.destination(service.name)
        yield wires.cluster(_name(caller)(service.name), paths, rule, tls)


def _before(told: Told, service: Service, caller: Workload) -> Workload | None:
    """Find the waypoint that a proxy goes through; the gateway passes by one unless the service says otherwise."""
    if not told.ambient or caller.waypoint:
        return None
    is_gateway = caller.name in told.cluster.gateways
    return None if is_gateway and service.labels.get(INGRESS) != "true" else told.cluster.waypoint_of(service)


def _name(caller: Workload) -> routes.Name:
    return lambda service: f"{caller.name}|{service}"


def gateway(told: Told, workload: Workload) -> Iterator[Json]:
    """Write the gateway: a chain for each name of its listeners, whose routes are those of that name."""
    yield from clusters(told, workload)
    by_host = routes.of_parent(told.cluster.routes, "Gateway", workload.name)
    believed = [
        rule
        for request in told.cluster.requests.values()
        if any((one.kind, one.name) == ("Gateway", workload.name) for one in request.target_refs)
        for rule in request.jwt_rules
    ]
    verifier = filters.tokens(believed, told.keys)
    before = [{"name": "envoy.filters.http.jwt_authn", "typed_config": verifier}] if verifier is not None else []
    before += wires.http_rbac(filters.rbac(told.cluster.authorized(workload)))
    chains, headers = [], _headers(told.cluster.gateways[workload.name])
    for one in told.cluster.gateways[workload.name].listeners:
        if one.protocol != "HTTPS" or one.tls is None or not one.hostname:
            raise Unknown(f"the listener {one.name} of a gateway is not HTTPS for a name")
        hosts = _hosts(told, workload, one.hostname, by_host)
        http = wires.manager(one.name, hosts, before, told.log(), headers, **_OUTSIDE, **told.paths())
        (secret,) = one.tls.certificate_refs
        socket = wires.front(told.place, secret.name)
        matched = {"server_names": [one.hostname]}
        chains.append({"filter_chain_match": matched, "filters": [http], "transport_socket": socket})
    address = {"socket_address": {"address": "127.0.0.1", "port_value": told.place.port}}
    yield wires.listener(workload.name, address, chains)


_OUTSIDE: Json = {
    "use_remote_address": True,
    "forward_client_cert_details": "SANITIZE_SET",
    "set_current_client_cert_details": {**_SHOWN, "cert": True},
}
"""Nothing is believed that a client says of itself."""


def _headers(gateway: Gateway) -> ProxyHeaders:
    told = dict(gateway.infrastructure.annotations)
    text = told.pop("proxy.istio.io/config", "{}")
    if told:
        raise Unknown(f"the annotation {next(iter(told))} of a gateway's pods is not translated")
    return msgspec.json.decode(text, type=ProxyConfig).proxy_headers


def _hosts(
    told: Told, workload: Workload, hostname: str, by_host: Mapping[str, list[tuple[Match, Rule]]]
) -> list[Json]:
    """Collect the routes of one name: those of routes for any name, and those for it."""
    some = [one for host in ("*", hostname) for one in by_host.get(host, ())]
    found = [routes.from_rule(match, rule, _name(workload), told.hash_of) for match, rule in some]
    return [{"name": hostname, "domains": [hostname], "routes": found}]


def pod(told: Told, workload: Workload) -> Iterator[Json]:
    """Write what stands before the application of a pod, and in a mesh with proxies in pods what stands behind it."""
    application = f"{workload.name}|"
    yield wires.plain(application, told.place.application(workload.name))
    policies = told.cluster.authorized(workload)
    if told.ambient:
        network = [_connections(filters.rbac_of_connections(policies)), _tcp(application)]
    else:
        host = {"name": "in", "domains": ["*"], "routes": [_default(application)]}
        before = wires.http_rbac(filters.rbac(policies))
        shown: Json = {"forward_client_cert_details": "APPEND_FORWARD", "set_current_client_cert_details": _SHOWN}
        network = [wires.manager(f"in.{workload.name}", [host], before, told.log(), **shown, **told.paths())]
    found = {"filters": [one for one in network if one is not None]}
    secured = {**found, "transport_socket": wires.server(told.place, workload.account)}
    chains = [{**secured, "filter_chain_match": {"transport_protocol": "tls"}}]
    if told.cluster.mode(workload, PORT) == "PERMISSIVE":
        chains.append({**found, "filter_chain_match": {"transport_protocol": "raw_buffer"}})
    yield wires.listener(f"in.{workload.name}", wires.pipe(told.place.inbound(workload.name)), chains)
    if not told.ambient:
        yield from clusters(told, workload)
        yield outbound(told, workload)


def _default(cluster: str) -> Json:
    return {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}


def _connections(rules: Json | None) -> Json | None:
    message = "envoy.extensions.filters.network.rbac.v3.RBAC"
    if rules is None:
        return None
    return {"name": "envoy.filters.network.rbac", "typed_config": typed(message, rules=rules, stat_prefix="ztunnel")}


def _tcp(cluster: str) -> Json:
    message = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    return {"name": "tcp", "typed_config": typed(message, stat_prefix=cluster, cluster=cluster)}


def outbound(told: Told, workload: Workload) -> Json:
    """Write what takes the calls of an application: for each service what its VirtualService says, or all of it."""
    hosts = []
    for service in told.cluster.services.values():
        if not told.cluster.pods(service):
            continue
        own = [one for one in told.cluster.virtual_services.values() if service.name in one.hosts]
        found = [
            route for one in own for route in routes.from_virtual(one, workload.labels, _name(workload), told.hash_of)
        ]
        if not own:
            found = [_default(_name(workload)(service.name))]
            found[0]["route"]["retry_policy"] = routes.AGAIN
        hosts.append({"name": service.name, "domains": [service.name], "routes": found})
    http = wires.manager(f"out.{workload.name}", hosts, [], told.log(), **told.paths())
    name = f"out.{workload.name}"
    return wires.listener(name, wires.pipe(told.place.outbound(workload.name)), [{"filters": [http]}])


def waypoint(told: Told, workload: Workload) -> Iterator[Json]:
    """Write a waypoint: who calls is who opened the tunnel (HBONE), which is mutual TLS here."""
    yield from clusters(told, workload)
    for service in told.cluster.services.values():
        if not told.cluster.pods(service) or told.cluster.waypoint_of(service) is None:
            continue
        found = _behind(told, workload, service, told.cluster.routes)
        host = {"name": service.name, "domains": ["*"], "routes": found}
        before = wires.http_rbac(filters.rbac(told.cluster.authorized(workload, service.name)))
        http = wires.manager(f"way.{service.name}", [host], before, told.log(), **told.paths())
        chain = {"filters": [http], "transport_socket": wires.server(told.place, workload.account)}
        yield wires.listener(f"way.{service.name}", wires.pipe(told.place.waypoint(service.name)), [chain])


def _behind(told: Told, workload: Workload, service: Service, all_: Mapping[str, HttpRoute]) -> list[Json]:
    own = routes.of_parent(all_, "Service", service.name).get("*")
    if own is None:
        return [_default(_name(workload)(service.name))]
    return [routes.from_rule(match, rule, _name(workload), told.hash_of) for match, rule in own]
