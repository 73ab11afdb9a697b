"""What Envoy says of itself at its administration interface."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shoal.local.probe import get, until
from shoal.mesh.layout import Layout, Pipe
from shoal.model.verdict import Counts

_VERSION = ("upstream_rq_completed", "upstream_rq_5xx", "upstream_rq_time")


def admin_of(mesh: Layout) -> Path:
    """Locate the socket of the administration interface."""
    where = mesh.admin()
    return Path(where.path if isinstance(where, Pipe) else "")


async def counters(admin: Path, pattern: str) -> dict[str, int]:
    """Read counters and gauges whose names match."""
    text = (await get(admin, f"/stats?filter={quote(pattern)}")).body.decode()
    pairs = (line.rpartition(": ") for line in text.splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdigit()}


async def answered(admin: Path, cluster: str) -> Counts:
    """Count what a cluster has answered since Envoy knows it; nothing for one that it does not know."""
    names = "|".join(_VERSION)
    pattern = quote(f"^cluster\\.{cluster}\\.({names})$")
    answer = await get(admin, f"/stats?format=json&histogram_buckets=cumulative&filter={pattern}")
    return _counts(json.loads(answer.body)["stats"])


async def known(admin: Path, clusters: Iterable[str]) -> None:
    """Wait until Envoy has these clusters; bound it with a timeout."""
    wanted = tuple(clusters)

    async def there() -> bool | None:
        listed = (await get(admin, "/clusters")).body.decode()
        return all(f"\n{name}::" in f"\n{listed}" for name in wanted) or None

    if wanted:
        await until(there)


async def idle(admin: Path, clusters: Iterable[str]) -> None:
    """Wait until no request is under way to these clusters; bound it with a timeout."""
    names = tuple(clusters)

    async def done() -> bool | None:
        active = await counters(admin, r"^cluster\..*\.upstream_rq_active$")
        return not any(active.get(f"cluster.{name}.upstream_rq_active", 0) for name in names) or None

    if names:
        await until(done)


async def reloads(admin: Path) -> dict[str, int]:
    """Count how often the routes of each listener were replaced."""
    found = await counters(admin, r"\.rds\..*\.config_reload$")
    return {name.partition(".rds.")[2].removesuffix(".config_reload"): count for name, count in found.items()}


def _counts(stats: list[dict[str, Any]]) -> Counts:
    plain = {s["name"].rpartition(".")[2]: int(s["value"]) for s in stats if "value" in s}
    times = [histogram for s in stats for histogram in s.get("histograms", ())]
    buckets = [bucket for histogram in times for bucket in histogram["buckets"]]
    return Counts(
        requests=plain.get("upstream_rq_completed", 0),
        errors=plain.get("upstream_rq_5xx", 0),
        within={f"{bucket['upper_bound']:.10g}": int(bucket["cumulative"]) for bucket in buckets},
    )
