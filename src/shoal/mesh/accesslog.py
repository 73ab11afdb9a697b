"""The access log: one line of JSON for each request at each hop, with the same fields at all of them."""

from shoal.mesh.layout import Layout
from shoal.mesh.proto import Json, typed

_FILE = "envoy.extensions.access_loggers.file.v3.FileAccessLog"

TRACE = "x-trace-id"
"""Header with the trace's identifier alone: Envoy cannot cut it out of ``traceparent``."""

FIELDS = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": f"%REQ({TRACE.upper()})%",
    "traceparent": "%REQ(TRACEPARENT):55%",
    "caller": "%DOWNSTREAM_PEER_URI_SAN%",
    "method": "%REQ(:METHOD):16%",
    "authority": "%REQ(:AUTHORITY):255%",
    "path": "%PATH(NQ:PATH):1024%",
    "route": "%ROUTE_NAME%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "upstream": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "duration_ms": "%DURATION%",
    "duration_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
}
"""Field → what Envoy writes there: no query, no header that could hold a secret, and nothing of any length."""


def settings(layout: Layout, hop: str) -> Json:
    """Log what one listener serves, under its name."""
    form = {"json_format": {"hop": hop, **FIELDS}}
    logger = {
        "name": "envoy.access_loggers.file",
        "typed_config": typed(_FILE, path=layout.access(), log_format=form),
    }
    return {"access_log": [logger]}
