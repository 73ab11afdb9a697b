"""PeerAuthentication, RequestAuthentication, AuthorizationPolicy, DestinationRule and Telemetry: what is translated."""

from typing import Literal

from msgspec import field

from tests.istiod.known import Known


class Selector(Known, frozen=True, kw_only=True):
    """``selector``: pods with these labels."""

    match_labels: dict[str, str]


class Target(Known, frozen=True, kw_only=True):
    """``targetRefs[]``: a Gateway, or a Service behind a waypoint."""

    group: str
    kind: Literal["Gateway", "Service"]
    name: str


class Mode(Known, frozen=True, kw_only=True):
    """``mtls``: STRICT refuses plain text, PERMISSIVE takes both."""

    mode: Literal["STRICT", "PERMISSIVE"]


class PeerAuthentication(Known, frozen=True, kw_only=True):
    """A PeerAuthentication; the one with a selector comes before the one without."""

    selector: Selector | None = None
    mtls: Mode
    port_level_mtls: dict[str, Mode] = field(default_factory=dict)


class HeaderOfClaim(Known, frozen=True, kw_only=True):
    """``outputClaimToHeaders[]``."""

    header: str
    claim: str


class JwtRule(Known, frozen=True, kw_only=True):
    """``jwtRules[]``: a token is verified where there is one, in ``Authorization: Bearer``."""

    issuer: str
    audiences: tuple[str, ...] = ()
    jwks_uri: str
    """istiod fetches it; the scene hands its keys in."""
    forward_original_token: bool = False
    output_claim_to_headers: tuple[HeaderOfClaim, ...] = ()


class RequestAuthentication(Known, frozen=True, kw_only=True):
    """A RequestAuthentication."""

    target_refs: tuple[Target, ...]
    jwt_rules: tuple[JwtRule, ...]


class Source(Known, frozen=True, kw_only=True):
    """``from[].source``: all that is said must hold, of each list one."""

    principals: tuple[str, ...] = ()
    """Identities by mutual TLS, without ``spiffe://``; ``*`` at an end is any text."""
    request_principals: tuple[str, ...] = ()
    """``ISSUER/SUBJECT`` of the token."""


class From(Known, frozen=True, kw_only=True):
    """``from[]``."""

    source: Source


class Operation(Known, frozen=True, kw_only=True):
    """``to[].operation``: all that is said must hold."""

    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """``{*}`` is one segment; elsewhere ``*`` at an end is any text."""
    not_paths: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()


class To(Known, frozen=True, kw_only=True):
    """``to[]``."""

    operation: Operation


class When(Known, frozen=True, kw_only=True):
    """``when[]``: ``request.headers[NAME]`` or ``request.auth.claims[NAME]``, of whose values one holds.

    ``*`` alone is any value, so that ``notValues`` with it means that there is none.
    """

    key: str
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


class AuthorizationRule(Known, frozen=True, kw_only=True, rename={"from_": "from"}):
    """``rules[]``."""

    from_: tuple[From, ...] = ()
    to: tuple[To, ...] = ()
    when: tuple[When, ...] = ()


class AuthorizationPolicy(Known, frozen=True, kw_only=True):
    """An AuthorizationPolicy: where one concerns a pod, what none allows is refused; without rules it means nothing."""

    selector: Selector | None = None
    """With neither selector nor target all pods of the namespace, but no waypoint."""
    target_refs: tuple[Target, ...] = ()
    action: Literal["ALLOW", "DENY"] = "ALLOW"
    """What DENY means is refused, whatever ALLOW says."""
    rules: tuple[AuthorizationRule, ...] = ()


class Tls(Known, frozen=True, kw_only=True):
    """``tls``: both ends show the certificates of the mesh."""

    mode: Literal["ISTIO_MUTUAL"]


class TcpPool(Known, frozen=True, kw_only=True):
    """``connectionPool.tcp``."""

    max_connections: int
    connect_timeout: str


class HttpPool(Known, frozen=True, kw_only=True):
    """``connectionPool.http``."""

    http1_max_pending_requests: int
    http2_max_requests: int
    max_retries: int


class Pool(Known, frozen=True, kw_only=True):
    """``connectionPool``."""

    tcp: TcpPool
    http: HttpPool


class Maglev(Known, frozen=True, kw_only=True):
    """``maglev``, by its defaults."""


class Hash(Known, frozen=True, kw_only=True):
    """``consistentHash``."""

    http_header_name: str
    maglev: Maglev


class Locality(Known, frozen=True, kw_only=True):
    """``localityLbSetting``: near replicas first. There is one place here, so it is read and changes nothing."""

    enabled: bool


class Balancer(Known, frozen=True, kw_only=True):
    """``loadBalancer``."""

    simple: Literal["LEAST_REQUEST", ""] = ""
    consistent_hash: Hash | None = None
    locality_lb_setting: Locality | None = None


class Outliers(Known, frozen=True, kw_only=True):
    """``outlierDetection``; a count of 0 never ejects."""

    split_external_local_origin_errors: bool
    consecutive_local_origin_failures: int
    consecutive5xx_errors: int = 0
    consecutive_gateway_errors: int
    interval: str
    base_ejection_time: str
    max_ejection_percent: int
    min_health_percent: int


class TrafficPolicy(Known, frozen=True, kw_only=True):
    """``trafficPolicy``."""

    tls: Tls
    connection_pool: Pool
    load_balancer: Balancer
    outlier_detection: Outliers


class DestinationRule(Known, frozen=True, kw_only=True):
    """A DestinationRule, for whoever sends to the host."""

    host: str
    traffic_policy: TrafficPolicy


class Provider(Known, frozen=True, kw_only=True):
    """``providers[]``: Envoy's own log."""

    name: Literal["envoy"]


class LogFilter(Known, frozen=True, kw_only=True):
    """``filter``: an expression (CEL) of what is logged."""

    expression: str


class AccessLogging(Known, frozen=True, kw_only=True):
    """``accessLogging[]``."""

    providers: tuple[Provider, ...]
    filter: LogFilter


class Tracing(Known, frozen=True, kw_only=True):
    """``tracing[]``: the part of requests whose trace begins in a proxy."""

    random_sampling_percentage: float


class Telemetry(Known, frozen=True, kw_only=True):
    """A Telemetry of the whole namespace."""

    access_logging: tuple[AccessLogging, ...]
    tracing: tuple[Tracing, ...]


class Value(Known, frozen=True, kw_only=True):
    """``server``: what answers say of it."""

    value: str = "istio-envoy"


class Switch(Known, frozen=True, kw_only=True):
    """``envoyDebugHeaders``."""

    disabled: bool = False


class ProxyHeaders(Known, frozen=True, kw_only=True):
    """``proxyHeaders``."""

    server: Value = Value()
    envoy_debug_headers: Switch = Switch()


class ProxyConfig(Known, frozen=True, kw_only=True):
    """The annotation ``proxy.istio.io/config`` of a gateway's pods, as JSON."""

    proxy_headers: ProxyHeaders = ProxyHeaders()
