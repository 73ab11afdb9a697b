"""Faults on purpose: where the target allows it, every way can be made late or broken, by values of Envoy's run time.

The filter asks for these values with each request, so that a fault begins and ends at once and for connections in
use, without a new configuration. Nothing is struck while no value is set, and none outlives the proxy.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shoal.mesh import routes
from shoal.mesh.feature import Feature
from shoal.mesh.filters import http_filter
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.fault import Fault
from shoal.model.plan import GATEWAY, CallPlan, Route, ServicePlan

_FILTER = "envoy.filters.http.fault"
_MESSAGE = "envoy.extensions.filters.http.fault.v3.HTTPFault"

PREFIX = "shoal.fault"

_PARTS = ("delay_percent", "delay_ms", "abort_percent", "abort_status")


def values(fault: Fault, endpoints: Iterable[str]) -> dict[str, str]:
    """Write the run-time values that make a fault, for each of these operations."""
    share = msgspec.json.encode(routes.share(fault.percent)).decode()
    parts = {
        "delay_percent": share if fault.delay else "",
        "delay_ms": str(round(fault.delay * 1000)) if fault.delay else "",
        "abort_percent": share if fault.abort else "",
        "abort_status": str(fault.abort) if fault.abort else "",
    }
    return {f"{_key(fault.caller, fault.callee, name)}.{part}": parts[part] for name in endpoints for part in _PARTS}


def cleared(caller: str, callee: str, endpoints: Iterable[str]) -> dict[str, str]:
    """Write the values that end whatever was made of these operations: an empty one is none."""
    return {f"{_key(caller, callee, name)}.{part}": "" for name in endpoints for part in _PARTS}


def present(found: Mapping[str, str]) -> list[Fault]:
    """Read the faults that run-time values make, one for each operation."""
    parts: dict[tuple[str, str, str], dict[str, str]] = {}
    for key, value in sorted(found.items()):
        if key.startswith(f"{PREFIX}.") and value:
            caller, callee, endpoint, part = key.removeprefix(f"{PREFIX}.").split(".")
            parts.setdefault((caller, callee, endpoint), {})[part] = value
    return [_fault(*where, had) for where, had in parts.items()]


def _fault(caller: str, callee: str, endpoint: str, had: Mapping[str, str]) -> Fault:
    share = msgspec.json.decode(had.get("delay_percent") or had["abort_percent"], type=Json)
    return Fault(
        caller=caller,
        callee=callee,
        endpoint=endpoint,
        delay=int(had.get("delay_ms", 0)) / 1000,
        abort=int(had.get("abort_status", 0)),
        percent=share["numerator"] / 10_000,
    )


def _key(caller: str, callee: str, endpoint: str) -> str:
    return f"{PREFIX}.{caller}.{callee}.{endpoint}"


def _settings(caller: str, callee: str, endpoint: str) -> Json:
    """Strike one operation as its run-time values say, which is not at all as long as there are none."""
    key = _key(caller, callee, endpoint)
    never = {"numerator": 0}
    settings = typed(
        _MESSAGE,
        delay={"fixed_delay": "0.001s", "percentage": never},
        abort={"http_status": 503, "percentage": never},
        delay_percent_runtime=f"{key}.delay_percent",
        delay_duration_runtime=f"{key}.delay_ms",
        abort_percent_runtime=f"{key}.abort_percent",
        abort_http_status_runtime=f"{key}.abort_status",
    )
    return {"typed_per_filter_config": {_FILTER: settings}}


def _edge_filters(scope: Scope) -> list[Json]:
    return [http_filter(_FILTER)] if scope.plan.target.faults and scope.plan.routes else []


def _edge_route(scope: Scope, route: Route) -> Json:
    return _settings(GATEWAY, route.service, route.endpoint) if scope.plan.target.faults else {}


def _outbound_filters(scope: Scope, service: ServicePlan) -> list[Json]:
    return [http_filter(_FILTER)] if scope.plan.target.faults and service.calls else []


def _outbound_route(scope: Scope, service: ServicePlan, call: CallPlan) -> Json:
    return _settings(service.name, call.service, call.endpoint) if scope.plan.target.faults else {}


FEATURE = Feature(
    edge_filters=_edge_filters,
    edge_route=_edge_route,
    outbound_filters=_outbound_filters,
    outbound_route=_outbound_route,
)
"""Every way between a caller and a service can be made late or broken, where the target allows it."""
