"""What Envoy listens on and sends to: connections, their certificates, and the manager of HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.istiod.known import Json, seconds, typed
from tests.istiod.policies import DestinationRule, Outliers, ProxyHeaders

_HTTP = "envoy.extensions.filters.http"
_TLS = "envoy.extensions.transport_sockets.tls.v3"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where things are in the folder of a scene: every pod is a few sockets instead of an address."""

    folder: str
    port: int
    """TCP port of the gateway."""

    def inbound(self, workload: str) -> str:
        """Where others reach a pod."""
        return f"{self.folder}/in.{workload}"

    def outbound(self, workload: str) -> str:
        """Where the application of a pod calls."""
        return f"{self.folder}/out.{workload}"

    def application(self, workload: str) -> str:
        """Where the application of a pod serves."""
        return f"{self.folder}/app.{workload}"

    def waypoint(self, service: str) -> str:
        """Where a waypoint takes what is for a service."""
        return f"{self.folder}/way.{service}"

    def certificate(self, account: str) -> tuple[str, str]:
        """Name the files of an account: its certificate and its key."""
        return f"{self.folder}/{account}.pem", f"{self.folder}/{account}.key"

    @property
    def trust(self) -> str:
        """Certificates of the mesh's authority."""
        return f"{self.folder}/trust.pem"

    @property
    def admin(self) -> str:
        """Where Envoy tells of itself."""
        return f"{self.folder}/admin"

    @property
    def log(self) -> str:
        """What Envoy logs of requests."""
        return f"{self.folder}/access.log"


def pipe(path: str) -> Json:
    """Write the address of a socket."""
    return {"pipe": {"path": path}}


def server(place: Place, account: str, *, asked: bool = True) -> Json:
    """Show the certificate of an account to whoever shows one of the mesh, or none where none is asked for."""
    context = _common(place, account, [])
    message = typed(f"{_TLS}.DownstreamTlsContext", common_tls_context=context, require_client_certificate=asked)
    return {"name": "tls", "typed_config": message}


def front(place: Place, secret: str) -> Json:
    """Show the certificate of a Secret to anybody."""
    certificate, key = place.certificate(secret)
    context = {"tls_certificates": [_files(certificate, key)]}
    return {"name": "tls", "typed_config": typed(f"{_TLS}.DownstreamTlsContext", common_tls_context=context)}


def client(place: Place, account: str, others: Sequence[str], name: str) -> Json:
    """Show the certificate of an account to one of the others."""
    context = _common(place, account, others)
    return {"name": "tls", "typed_config": typed(f"{_TLS}.UpstreamTlsContext", common_tls_context=context, sni=name)}


def _common(place: Place, account: str, others: Sequence[str]) -> Json:
    names = [{"san_type": "URI", "matcher": {"exact": one}} for one in others]
    trusted = {"trusted_ca": {"filename": place.trust}, **({"match_typed_subject_alt_names": names} if names else {})}
    return {"tls_certificates": [_files(*place.certificate(account))], "validation_context": trusted}


def _files(certificate: str, key: str) -> Json:
    return {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}


def plain(name: str, path: str) -> Json:
    """Lead to an application."""
    return cluster(name, [path])


def cluster(name: str, paths: Sequence[str], rule: DestinationRule | None = None, tls: Json | None = None) -> Json:
    """Lead to several sockets, by the rule of the destination."""
    ends = [{"endpoint": {"address": pipe(one)}} for one in paths]
    found: Json = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": ends}]},
        **({"transport_socket": tls} if tls is not None else {}),
    }
    return found if rule is None else found | _policy(rule)


def _policy(rule: DestinationRule) -> Json:
    pool, balancer = rule.traffic_policy.connection_pool, rule.traffic_policy.load_balancer
    bounds = {
        "max_connections": pool.tcp.max_connections,
        "max_pending_requests": pool.http.http1_max_pending_requests,
        "max_requests": pool.http.http2_max_requests,
        "max_retries": pool.http.max_retries,
    }
    return {
        "connect_timeout": seconds(pool.tcp.connect_timeout),
        "circuit_breakers": {"thresholds": [bounds]},
        "lb_policy": "MAGLEV" if balancer.consistent_hash is not None else "LEAST_REQUEST",
        "outlier_detection": _outliers(rule.traffic_policy.outlier_detection),
        "common_lb_config": {
            "healthy_panic_threshold": {"value": rule.traffic_policy.outlier_detection.min_health_percent}
        },
    }


def _outliers(told: Outliers) -> Json:
    found: Json = {
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "split_external_local_origin_errors": told.split_external_local_origin_errors,
        "interval": seconds(told.interval),
        "base_ejection_time": seconds(told.base_ejection_time),
        "max_ejection_percent": told.max_ejection_percent,
        "consecutive_5xx": told.consecutive5xx_errors,
        "enforcing_consecutive_5xx": 100 if told.consecutive5xx_errors else 0,
        "consecutive_gateway_failure": told.consecutive_gateway_errors,
        "enforcing_consecutive_gateway_failure": 100 if told.consecutive_gateway_errors else 0,
    }
    if told.consecutive_local_origin_failures:
        found["consecutive_local_origin_failure"] = told.consecutive_local_origin_failures
        found["enforcing_consecutive_local_origin_failure"] = 100
    return found


def router(settings: ProxyHeaders) -> Json:
    """Send on; Envoy's own headers tell of the inside."""
    message = typed(f"{_HTTP}.router.v3.Router", suppress_envoy_headers=settings.envoy_debug_headers.disabled)
    return {"name": "envoy.filters.http.router", "typed_config": message}


def manager(
    name: str,
    hosts: list[Json],
    filters: Sequence[Json],
    log: list[Json],
    headers: ProxyHeaders | None = None,
    **settings: object,
) -> Json:
    """Write the manager of HTTP as Istio does by default: paths are normalized (BASE), WebSockets may be opened.

    Slashes are not merged, what is escaped stays so, and headers are as they come: that is what
    ``meshConfig.pathNormalization`` and the settings of a proxy say where nobody says otherwise.
    """
    headers = headers or ProxyHeaders()
    routes = {"name": name, "virtual_hosts": hosts, "ignore_port_in_host_matching": True, "validate_clusters": True}
    filled: Json = {
        "stat_prefix": name,
        "route_config": routes,
        "http_filters": [
            *filters,
            {"name": "envoy.filters.http.fault", "typed_config": typed(f"{_HTTP}.fault.v3.HTTPFault")},
            {"name": "envoy.filters.http.cors", "typed_config": typed(f"{_HTTP}.cors.v3.Cors")},
            router(headers),
        ],
        "server_name": headers.server.value,
        "normalize_path": True,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "0s",
        "access_log": log,
        **settings,
    }
    message = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": typed(message, **filled)}


def access_log(place: Place, expressions: Sequence[str]) -> list[Json]:
    """Log what the expressions (CEL) say."""
    message = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    line = {
        "text_format_source": {"inline_string": "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n"}
    }
    return [
        {
            "name": "file",
            "filter": {"extension_filter": {"name": "cel", "typed_config": typed(message, expression=one)}},
            "typed_config": typed(
                "envoy.extensions.access_loggers.file.v3.FileAccessLog", path=place.log, log_format=line
            ),
        }
        for one in expressions
    ]


def listener(name: str, address: Json, chains: list[Json]) -> Json:
    """Listen; the greeting of TLS is read to find the chain."""
    inspector = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
    return {
        "name": name,
        "address": address,
        "filter_chains": chains,
        "listener_filters": [{"name": "tls_inspector", "typed_config": typed(inspector)}],
    }


def http_rbac(rules: Sequence[Json]) -> list[Json]:
    """Write the filters that decide who may ask for what."""
    return [
        {"name": "envoy.filters.http.rbac", "typed_config": typed(f"{_HTTP}.rbac.v3.RBAC", rules=one)} for one in rules
    ]
