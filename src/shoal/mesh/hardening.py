"""What makes an edge of Envoy: its own advice for edge proxies, item by item, and what it takes to hold floods.

Envoy's defaults are made for a mesh, whose members know each other. The items are those of Envoy's page "Configuring
Envoy as an edge proxy", of its page on the overload manager, and of its answers to the floods of HTTP/2.
"""

from shoal.mesh import windows
from shoal.mesh.proto import Json, seconds, typed

HEAP_LIMIT = 1024**3
"""Bytes of memory of one Envoy."""

CONNECTION_LIMIT = 10_000
"""Connections from outside at one time."""

HEADER_COUNT = 100
"""Header fields of a request or an answer."""

HEADER_KILOBYTES = 32
"""Kilobytes of all header fields of a request together."""

IDLE = 60.0
"""Seconds that a connection without requests is kept."""

AGE = 3600.0
"""Seconds after which a connection is ended when its request is: clients then find new gateways."""

HEADERS_WITHIN = 10.0
"""Seconds in which the headers of a request must be there."""

REQUEST_WITHIN = 60.0
"""Seconds in which a whole request must be there."""

LINGER = 1.0
"""Seconds in which a client may read the last answer of a connection that is being closed."""

STREAMS = 100
"""Requests at a time on one connection of HTTP/2."""

PING_EVERY = 30.0
"""Seconds after which a peer of HTTP/2 is asked again whether it is there."""

PONG_WITHIN = 10.0
"""Seconds in which it must answer, or its connection is closed."""

_MONITORS = "envoy.extensions.resource_monitors"
_HEAP = "envoy.resource_monitors.fixed_heap"

STEPS = {
    "envoy.overload_actions.shrink_heap": 0.80,
    "envoy.overload_actions.disable_http_keepalive": 0.90,
    "envoy.overload_actions.stop_accepting_requests": 0.95,
    "envoy.overload_actions.reject_incoming_connections": 0.98,
}
"""What is given up at which share of the memory: first what nobody notices, the newest callers last."""

SCALED = {"scaling_threshold": 0.85, "saturation_threshold": 0.95}
"""Between these shares of the memory, patience shrinks and the streams that hold most of it are cut."""

PATIENCE = {
    "HTTP_DOWNSTREAM_CONNECTION_IDLE": 2.0,
    "HTTP_DOWNSTREAM_STREAM_IDLE": 2.0,
    "TRANSPORT_SOCKET_CONNECT": 1.0,
}
"""Seconds to which it shrinks at the most."""

POINTS = {
    "envoy.load_shed_points.http_connection_manager_decode_headers": 0.95,
    "envoy.load_shed_points.http1_server_abort_dispatch": 0.97,
    "envoy.load_shed_points.http2_server_go_away_on_dispatch": 0.95,
    "envoy.load_shed_points.hcm_ondata_creating_codec": 0.97,
    "envoy.load_shed_points.tcp_listener_accept": 0.98,
}
"""Where work is refused before it is begun, at which share of the memory."""


def overload() -> Json:
    """Write the overload manager."""
    return {
        "refresh_interval": seconds(0.25),
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": 20},  # streams holding 1 MiB and more
        "resource_monitors": [
            _monitor("fixed_heap", "fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=HEAP_LIMIT),
            _monitor(
                "global_downstream_max_connections",
                "downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=CONNECTION_LIMIT,
            ),
        ],
        "actions": [_impatience(), _cut(), *(_step(name, share) for name, share in STEPS.items())],
        "loadshed_points": [_step(name, share) for name, share in POINTS.items()],
    }


def _monitor(name: str, message: str, **settings: int) -> Json:
    config = typed(f"{_MONITORS}.{message}", **settings)
    return {"name": f"envoy.resource_monitors.{name}", "typed_config": config}


def _step(name: str, share: float) -> Json:
    return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}


def _impatience() -> Json:
    factors = [{"timer": timer, "min_timeout": seconds(least)} for timer, least in PATIENCE.items()]
    return {
        "name": "envoy.overload_actions.reduce_timeouts",
        "triggers": [{"name": _HEAP, "scaled": SCALED}],
        "typed_config": typed("envoy.config.overload.v3.ScaleTimersOverloadActionConfig", timer_scale_factors=factors),
    }


def _cut() -> Json:
    return {
        "name": "envoy.overload_actions.reset_high_memory_stream",
        "triggers": [{"name": _HEAP, "scaled": SCALED}],
    }


def runtime() -> Json:
    """Write the settings that Envoy reads at run time only."""
    return {
        # A connection whose streams mostly end within a second is closed: rapid reset (CVE-2023-44487).
        "overload.premature_reset_total_stream_count": 500,
        "overload.premature_reset_min_stream_lifetime_seconds": 1,
        # So many requests of one connection in each turn of a worker: the others have theirs.
        "http.max_requests_per_io_cycle": 10,
        "envoy.resource_limits.listener.edge.connection_limit": CONNECTION_LIMIT,
    }


def listener() -> Json:
    """Write the limits of the listener."""
    return {"max_connections_to_accept_per_socket_event": 16}


def connections() -> Json:
    """Write the limits of the connections and of what comes over them."""
    return {
        "use_remote_address": True,
        "max_request_headers_kb": HEADER_KILOBYTES,
        "request_timeout": seconds(REQUEST_WITHIN),
        "request_headers_timeout": seconds(HEADERS_WITHIN),
        "delayed_close_timeout": seconds(LINGER),
        # At that age an answer says that it was the last one; Envoy would end HTTP/1 between two requests, or in one.
        "http1_safe_max_connection_duration": True,
        "common_http_protocol_options": {
            "idle_timeout": seconds(IDLE),
            "max_connection_duration": seconds(AGE),
            "max_headers_count": HEADER_COUNT,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": STREAMS,
            **windows.CLIENT,
            "max_outbound_frames": 1000,
            "max_outbound_control_frames": 200,
            "max_consecutive_inbound_frames_with_empty_payload": 1,
            "max_inbound_priority_frames_per_stream": 10,
            "max_inbound_window_update_frames_per_data_frame_sent": 10,
            "connection_keepalive": {"interval": seconds(PING_EVERY), "timeout": seconds(PONG_WITHIN)},
        },
    }
