"""What all clusters have in common: how long a connection may take, and how it is spoken over."""

from shoal.mesh import windows
from shoal.mesh.proto import Json, seconds, typed

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
"""The message that says how a cluster speaks HTTP, and its key among a cluster's options."""

CONNECT_TIMEOUT = 1.0
"""Seconds to connect; every address is on this machine."""

APPLICATION_IDLE = 4.0
"""Seconds that an idle connection to an application is kept: less than the 5 s after which uvicorn closes
it by default, or a request could meet the closing connection."""

HOP_LIFE = 3600.0
"""Seconds that a connection between listeners is used: it hardly outlives the certificates that were shown."""

HOP_IDLE = 300.0
"""Seconds that an idle connection between listeners is kept."""


def to_application(name: str) -> Json:
    """Begin the cluster of an application: HTTP/1.1."""
    return _cluster(name, {"http_protocol_options": {}}, idle_timeout=seconds(APPLICATION_IDLE))


def to_listener(name: str) -> Json:
    """Begin the cluster of another listener of the mesh: HTTP/2."""
    times = {"idle_timeout": seconds(HOP_IDLE), "max_connection_duration": seconds(HOP_LIFE)}
    return _cluster(name, {"http2_protocol_options": windows.HOP}, **times)


def _cluster(name: str, version: Json, **times: str) -> Json:
    protocol = typed(OPTIONS, common_http_protocol_options=times, explicit_http_config=version)
    return {
        "name": name,
        "connect_timeout": seconds(CONNECT_TIMEOUT),
        "per_connection_buffer_limit_bytes": windows.BUFFER,
        "typed_extension_protocol_options": {OPTIONS: protocol},
    }
