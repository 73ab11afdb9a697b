"""HTTPRoute and Gateway (Gateway API), and VirtualService (Istio): the fields that are translated."""

from typing import Literal

from msgspec import field

from tests.istiod.known import Known


class Reference(Known, frozen=True, kw_only=True):
    """``parentRefs``: what a route belongs to."""

    name: str
    group: str = "gateway.networking.k8s.io"
    kind: str = "Gateway"
    """A Gateway, or the Service whose callers it concerns."""
    port: int = 0
    """Of a Service: the port to which requests go."""


class PathMatch(Known, frozen=True, kw_only=True):
    """``matches[].path``."""

    type: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    """A prefix ends where a segment does; an expression (RE2) fits the whole path."""
    value: str = "/"


class HeaderMatch(Known, frozen=True, kw_only=True):
    """``matches[].headers[]``."""

    name: str
    value: str
    type: Literal["Exact", "RegularExpression"] = "Exact"


class Match(Known, frozen=True, kw_only=True):
    """``matches[]``: all of it must fit."""

    path: PathMatch = PathMatch()
    method: str = ""
    headers: tuple[HeaderMatch, ...] = ()


class Header(Known, frozen=True, kw_only=True):
    """A header and its value."""

    name: str
    value: str


class Modifier(Known, frozen=True, kw_only=True):
    """``requestHeaderModifier``, ``responseHeaderModifier``."""

    set: tuple[Header, ...] = ()
    add: tuple[Header, ...] = ()
    remove: tuple[str, ...] = ()


class CorsFilter(Known, frozen=True, kw_only=True):
    """``cors``: origins are compared whole; a preflight of another origin gets 200 without any permission."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int = 5


class Backend(Known, frozen=True, kw_only=True):
    """``backendRefs[]``: where requests go, and their relative part."""

    name: str
    port: int
    weight: int = 1
    filters: tuple["Filter", ...] = ()
    """Only changes of headers; they come after those of the rule."""


class Mirror(Known, frozen=True, kw_only=True):
    """``requestMirror``."""

    backend_ref: Backend
    percent: int = 100


class PathRewrite(Known, frozen=True, kw_only=True):
    """``urlRewrite.path``."""

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: str = ""
    """Takes the place of the path; the query stays."""
    replace_prefix_match: str = ""
    """Takes the place of what the prefix of the match fits."""


class Rewrite(Known, frozen=True, kw_only=True):
    """``urlRewrite``."""

    path: PathRewrite


class Filter(Known, frozen=True, kw_only=True):
    """``filters[]``."""

    type: Literal["CORS", "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "URLRewrite"]
    cors: CorsFilter | None = None
    request_header_modifier: Modifier | None = None
    response_header_modifier: Modifier | None = None
    request_mirror: Mirror | None = None
    url_rewrite: Rewrite | None = None


class Timeouts(Known, frozen=True, kw_only=True):
    """``timeouts``: ``0s`` is for ever."""

    request: str = "0s"


class Retry(Known, frozen=True, kw_only=True):
    """``retry``: connections that fail are repeated, too."""

    attempts: int = 2
    backoff: str = ""
    codes: tuple[int, ...] = ()


class Rule(Known, frozen=True, kw_only=True):
    """``rules[]``."""

    name: str = ""
    matches: tuple[Match, ...] = ()
    filters: tuple[Filter, ...] = ()
    backend_refs: tuple[Backend, ...] = ()
    timeouts: Timeouts = Timeouts()
    retry: Retry | None = None
    """Without it Istio repeats twice what no application has answered."""


class HttpRoute(Known, frozen=True, kw_only=True):
    """An HTTPRoute."""

    parent_refs: tuple[Reference, ...]
    hostnames: tuple[str, ...] = ()
    """All of the parent's when empty."""
    rules: tuple[Rule, ...] = ()


class Certificate(Known, frozen=True, kw_only=True):
    """``tls.certificateRefs[]``: a Secret; the scene has its certificate."""

    kind: Literal["Secret"]
    name: str


class ListenerTls(Known, frozen=True, kw_only=True):
    """``tls``."""

    mode: Literal["Terminate"]
    certificate_refs: tuple[Certificate, ...]


class AllowedRoutes(Known, frozen=True, kw_only=True):
    """``allowedRoutes``: routes of the gateway's own namespace, which is the only one."""

    namespaces: dict[Literal["from"], Literal["Same"]]


class Listener(Known, frozen=True, kw_only=True):
    """``listeners[]``: found by the name that a client asks for in its TLS greeting, and by the host."""

    name: str
    port: int
    protocol: Literal["HTTPS", "HBONE"]
    hostname: str = ""
    tls: ListenerTls | None = None
    allowed_routes: AllowedRoutes | None = None


class Infrastructure(Known, frozen=True, kw_only=True):
    """``infrastructure``: annotations of the gateway's pods."""

    annotations: dict[str, str] = field(default_factory=dict)


class Gateway(Known, frozen=True, kw_only=True):
    """A Gateway."""

    gateway_class_name: Literal["istio", "istio-waypoint"]
    listeners: tuple[Listener, ...]
    infrastructure: Infrastructure = Infrastructure()


class StringMatch(Known, frozen=True, kw_only=True):
    """A text that is compared whole, or by an expression (RE2)."""

    exact: str | None = None
    regex: str | None = None


class VirtualMatch(Known, frozen=True, kw_only=True):
    """``http[].match[]``."""

    method: StringMatch | None = None
    uri: StringMatch | None = None
    source_labels: dict[str, str] = field(default_factory=dict)
    """Labels that the caller's pod must have."""


class Port(Known, frozen=True, kw_only=True):
    """A port by number."""

    number: int


class Destination(Known, frozen=True, kw_only=True):
    """``destination``: a Service."""

    host: str
    port: Port


class Share(Known, frozen=True, kw_only=True):
    """``http[].route[]``."""

    destination: Destination
    weight: int = 0
    """Percent, where there are several."""


class Percent(Known, frozen=True, kw_only=True):
    """Percent."""

    value: float


class VirtualMirror(Known, frozen=True, kw_only=True):
    """``http[].mirrors[]``."""

    destination: Destination
    percentage: Percent = Percent(value=100)


class Delay(Known, frozen=True, kw_only=True):
    """``fault.delay``."""

    percentage: Percent
    fixed_delay: str


class Abort(Known, frozen=True, kw_only=True):
    """``fault.abort``."""

    percentage: Percent
    http_status: int


class Fault(Known, frozen=True, kw_only=True):
    """``http[].fault``."""

    delay: Delay | None = None
    abort: Abort | None = None


class VirtualRetries(Known, frozen=True, kw_only=True):
    """``http[].retries``."""

    attempts: int
    retry_on: str


class VirtualRule(Known, frozen=True, kw_only=True):
    """``http[]``: the first that fits decides."""

    name: str = ""
    match: tuple[VirtualMatch, ...] = ()
    route: tuple[Share, ...] = ()
    timeout: str = "0s"
    """For ever when it is not there."""
    retries: VirtualRetries | None = None
    mirrors: tuple[VirtualMirror, ...] = ()
    fault: Fault | None = None


class VirtualService(Known, frozen=True, kw_only=True):
    """A VirtualService of the callers' pods."""

    hosts: tuple[str, ...]
    http: tuple[VirtualRule, ...]
