"""What Envoy counts on each declared way from a caller to a callee; the names stay."""

from shoal.mesh.hops import callees, hop
from shoal.model.data import Data
from shoal.model.plan import GATEWAY, Plan

COUNTERS = {
    "requests": "upstream_rq_total",
    "answers_2xx": "upstream_rq_2xx",
    "answers_3xx": "upstream_rq_3xx",
    "answers_4xx": "upstream_rq_4xx",
    "answers_5xx": "upstream_rq_5xx",
    "timeouts": "upstream_rq_timeout",
    "retries": "upstream_rq_retry",
    "overflows": "upstream_rq_pending_overflow",
    "resets": "upstream_rq_rx_reset",
    "under_way": "upstream_rq_active",
    "connections": "upstream_cx_active",
}
"""Field of `Way` → Envoy's name for it, behind ``cluster.CALLER.CALLEE.``."""


class Way(Data, frozen=True, kw_only=True):
    """What went from one caller to one callee since Envoy started."""

    caller: str
    """A service, or `GATEWAY`."""
    callee: str
    requests: int = 0
    """Repeats included."""
    answers_2xx: int = 0
    answers_3xx: int = 0
    answers_4xx: int = 0
    answers_5xx: int = 0
    timeouts: int = 0
    retries: int = 0
    overflows: int = 0
    """Refused because too much was under way."""
    resets: int = 0
    under_way: int = 0
    connections: int = 0


def pairs(plan: Plan) -> tuple[tuple[str, str], ...]:
    """List every declared way: from the gateway, then from each service."""
    routed = sorted({route.service for route in plan.routes})
    found = [(GATEWAY, callee) for callee in routed]
    return (*found, *((service.name, callee) for service in plan.services for callee in callees(service)))


def ways(plan: Plan, stats: str) -> tuple[Way, ...]:
    """Read the text of Envoy's ``/stats``; what has never been counted is 0."""
    counted = dict(line.split(": ", 1) for line in stats.splitlines() if ": " in line)
    return tuple(
        Way(
            caller=caller,
            callee=callee,
            **{name: _number(counted, f"cluster.{hop(caller, callee)}.{stat}") for name, stat in COUNTERS.items()},
        )
        for caller, callee in pairs(plan)
    )


def _number(counted: dict[str, str], name: str) -> int:
    text = counted.get(name, "0")
    return int(text) if text.isdigit() else 0
