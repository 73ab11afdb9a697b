"""The edge is configured as Envoy advises: one row for each item, where it stands and what it says."""

import json
from typing import Any

import pytest

from shoal.mesh.compile import compile_static
from shoal.mesh.layout import layout_for
from tests.mesh.samples import TINY, planned

KIB, MIB = 1024, 1024 * 1024

ITEMS: tuple[tuple[str, str, object], ...] = (
    # Configuring Envoy as an edge proxy
    ("admin only on a private socket", "admin.address.pipe.mode", 0o600),
    ("overload manager: how often", "overload_manager.refresh_interval", "0.25s"),
    ("overload manager: memory", "overload.fixed_heap.max_heap_size_bytes", 1024 * MIB),
    (
        "connections of all listeners",
        "overload.global_downstream_max_connections.max_active_downstream_connections",
        10_000,
    ),
    ("connections of the listener", "runtime.envoy.resource_limits.listener.edge.connection_limit", 10_000),
    ("buffer of a connection", "listener.per_connection_buffer_limit_bytes", 32 * KIB),
    ("buffer towards services", "cluster.per_connection_buffer_limit_bytes", 32 * KIB),
    ("window of a stream towards services", "upstream.http2_protocol_options.initial_stream_window_size", 64 * KIB),
    (
        "window of a connection towards services",
        "upstream.http2_protocol_options.initial_connection_window_size",
        2**31 - 1,
    ),
    ("the peer's address, not a header", "manager.use_remote_address", True),
    ("no address of ours among the forwarded", "manager.skip_xff_append", True),
    ("idle connection", "manager.common_http_protocol_options.idle_timeout", "60s"),
    ("age of a connection", "manager.common_http_protocol_options.max_connection_duration", "3600s"),
    ("age of a connection of HTTP/1: its last answer says so", "manager.http1_safe_max_connection_duration", True),
    ("silent stream", "manager.stream_idle_timeout", "60s"),
    ("whole request", "manager.request_timeout", "60s"),
    ("headers of a request", "manager.request_headers_timeout", "10s"),
    ("answer of a service", "route.route.timeout", "5s"),
    ("lingering close", "manager.delayed_close_timeout", "1s"),
    ("streams at a time", "manager.http2_protocol_options.max_concurrent_streams", 100),
    ("window of a stream", "manager.http2_protocol_options.initial_stream_window_size", 64 * KIB),
    ("window of a connection", "manager.http2_protocol_options.initial_connection_window_size", MIB),
    ("underscores", "manager.common_http_protocol_options.headers_with_underscores_action", "REJECT_REQUEST"),
    ("dot segments", "manager.normalize_path", True),
    ("empty segments", "manager.merge_slashes", True),
    ("encoded slashes", "manager.path_with_escaped_slashes_action", "REJECT_REQUEST"),
    # Sizes
    ("count of headers", "manager.common_http_protocol_options.max_headers_count", 100),
    ("size of headers", "manager.max_request_headers_kb", 32),
    ("size of a body", "filter.envoy.filters.http.buffer.max_request_bytes", MIB),
    # Floods of HTTP/2
    ("rapid reset", "runtime.overload.premature_reset_total_stream_count", 500),
    ("rapid reset: what is premature", "runtime.overload.premature_reset_min_stream_lifetime_seconds", 1),
    ("turns", "runtime.http.max_requests_per_io_cycle", 10),
    ("answers that nobody reads", "manager.http2_protocol_options.max_outbound_frames", 1000),
    ("acknowledgements that nobody reads", "manager.http2_protocol_options.max_outbound_control_frames", 200),
    ("empty frames", "manager.http2_protocol_options.max_consecutive_inbound_frames_with_empty_payload", 1),
    ("priorities", "manager.http2_protocol_options.max_inbound_priority_frames_per_stream", 10),
    ("windows", "manager.http2_protocol_options.max_inbound_window_update_frames_per_data_frame_sent", 10),
    ("dead peers", "manager.http2_protocol_options.connection_keepalive.interval", "30s"),
    ("dead peers: how long", "manager.http2_protocol_options.connection_keepalive.timeout", "10s"),
    # Overload manager: what is given up at which share of the memory
    ("memory given back", "action.envoy.overload_actions.shrink_heap", 0.80),
    ("patience shrinks from", "action.envoy.overload_actions.reduce_timeouts", 0.85),
    ("the largest streams are cut from", "action.envoy.overload_actions.reset_high_memory_stream", 0.85),
    ("streams that count as large", "overload_manager.buffer_factory_config.minimum_account_to_track_power_of_two", 20),
    ("connections end with their request", "action.envoy.overload_actions.disable_http_keepalive", 0.90),
    ("requests are refused", "action.envoy.overload_actions.stop_accepting_requests", 0.95),
    ("connections are refused", "action.envoy.overload_actions.reject_incoming_connections", 0.98),
    ("headers are not read", "point.envoy.load_shed_points.http_connection_manager_decode_headers", 0.95),
    ("HTTP/2 goes away", "point.envoy.load_shed_points.http2_server_go_away_on_dispatch", 0.95),
    ("HTTP/1 is aborted", "point.envoy.load_shed_points.http1_server_abort_dispatch", 0.97),
    ("no codec is made", "point.envoy.load_shed_points.hcm_ondata_creating_codec", 0.97),
    ("nothing is accepted", "point.envoy.load_shed_points.tcp_listener_accept", 0.98),
)


def threshold(entry: dict[str, Any]) -> float:
    trigger = entry["triggers"][0]
    found = trigger["scaled"]["scaling_threshold"] if "scaled" in trigger else trigger["threshold"]["value"]
    return float(found)


def flat(prefix: str, value: object) -> dict[str, object]:
    """Name every scalar by its way."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {name: found for key, inner in value.items() for name, found in flat(f"{prefix}.{key}", inner).items()}


def configured() -> dict[str, object]:
    """Name every setting of the edge."""
    plan = planned(TINY)
    whole = json.loads(compile_static(plan, layout_for(plan, root="/r")).text)
    resources, overload = whole["static_resources"], whole["overload_manager"]
    listener = next(entry for entry in resources["listeners"] if entry["name"] == "edge")
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    cluster = next(entry for entry in resources["clusters"] if entry["name"] == "gateway.products")
    options = cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    parts = {"listener": listener, "manager": manager, "cluster": cluster, "upstream": options["explicit_http_config"]}
    parts |= {"admin": whole["admin"], "overload_manager": overload}
    parts |= {"route": next(entry for entry in routes if entry["name"] == "products.get")}
    parts |= {"runtime": whole["layered_runtime"]["layers"][0]["static_layer"]}
    found = {name: value for prefix, part in parts.items() for name, value in flat(prefix, part).items()}
    for entry in manager["http_filters"]:
        found |= flat(f"filter.{entry['name']}", entry.get("typed_config", {}))
    for entry in overload["resource_monitors"]:
        found |= flat(f"overload.{entry['name'].rpartition('.')[2]}", entry["typed_config"])
    found |= {f"action.{entry['name']}": threshold(entry) for entry in overload["actions"]}
    return found | {f"point.{entry['name']}": threshold(entry) for entry in overload["loadshed_points"]}


FOUND = configured()


@pytest.mark.parametrize(("item", "where", "value"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_each_item_stands_where_it_should(item: str, where: str, value: object) -> None:
    assert FOUND.get(where, "nothing") == value, f"{item}: {where}"


def test_every_step_of_the_overload_manager_is_in_the_table() -> None:
    steps = {name for name in FOUND if name.startswith(("action.", "point."))}
    assert steps == {where for _, where, _ in ITEMS if where.startswith(("action.", "point."))}
