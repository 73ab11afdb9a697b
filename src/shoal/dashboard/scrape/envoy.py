"""Envoy: what went from each caller to each callee, what is refused for want of room, who is healthy.

Names are those of Envoy's statistics (``cluster.CALLER.CALLEE.upstream_rq_total``), with the cluster as an attribute.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shoal.dashboard.scrape.sample import Sample
from shoal.local.probe import get

SUMS = (
    "upstream_rq_total", "upstream_rq_timeout", "upstream_rq_retry", "upstream_rq_retry_overflow",
    "upstream_rq_pending_overflow", "upstream_rq_rx_reset", "upstream_cx_total", "upstream_cx_connect_fail",
    "upstream_cx_overflow", "upstream_rq_2xx", "upstream_rq_4xx", "upstream_rq_5xx",
    "outlier_detection.ejections_enforced_total",
)  # fmt: skip
"""What is counted of each cluster."""

GAUGES = (
    "upstream_rq_active", "upstream_rq_pending_active", "upstream_cx_active", "membership_healthy", "membership_total",
    "circuit_breakers.default.cx_open", "circuit_breakers.default.rq_open", "circuit_breakers.default.rq_pending_open",
    "circuit_breakers.default.rq_retry_open", "outlier_detection.ejections_active",
)  # fmt: skip
"""How each cluster stands."""

SERVER = {"server.memory_allocated": "By", "server.uptime": "s", "server.total_connections": "{connection}"}
"""What is told of the proxy itself, with its unit."""

_NAMES = "|".join(map(re.escape, sorted((*SUMS, *GAUGES), key=len, reverse=True)))
_CLUSTER = re.compile(rf"cluster\.(.+?)\.({_NAMES})")
_FILTER = rf"^(cluster\..*\.({_NAMES})|{'|'.join(map(re.escape, SERVER))})$"


@dataclass(frozen=True, slots=True)
class Envoy:
    """One proxy, at its administration interface."""

    admin: Path
    engine: str = "envoy"

    @property
    def name(self) -> str:
        """What it is the proxy of."""
        return self.admin.name.removesuffix(".admin")

    async def ask(self) -> list[Sample]:
        """Ask for the statistics that matter; the others are some thousand."""
        answer = await get(self.admin, f"/stats?filter={quote(_FILTER)}")
        return list(samples(answer.body.decode("utf-8", "replace")))


def samples(text: str) -> Iterator[Sample]:
    """Read the text of ``/stats``; lines that say something else are left out."""
    for line in text.splitlines():
        name, _, value = line.rpartition(": ")
        if not value.isdigit():
            continue
        match = _CLUSTER.fullmatch(name)
        if match is not None:
            said = {"envoy.cluster": match[1]}
            yield Sample(f"envoy.cluster.{match[2]}", float(value), "sum" if match[2] in SUMS else "gauge", "", said)
        elif name in SERVER:
            yield Sample(f"envoy.{name}", float(value), "gauge", SERVER[name])
