"""The page of metrics lists what a service can measure, no more and no less."""

import os
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from shoal import Service, System, anyone
from shoal.runtime.metrics.catalog import CATALOG
from shoal.runtime.metrics.text import prometheus_name
from shoal.telemetry.measures import Metric
from tests.runtime.world import running

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
BEGIN, END = "<!-- metrics -->\n", "<!-- end of metrics -->"
KINDS = {"counter": "counter", "level": "level", "gauge": "gauge", "histogram": "durations"}


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
    kind = f"{KINDS[metric.kind]}, {metric.unit}" if metric.unit else KINDS[metric.kind]
    return f"| `{metric.name}` | `{prometheus_name(metric)}` | {kind} | {labels} | {metric.summary} |\n"


def test_the_page_has_a_row_for_each() -> None:
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    head = "| Metric | In Prometheus | Kind, unit | Attributes | Meaning |\n|---|---|---|---|---|\n"
    rows = head + "".join(map(row, CATALOG.values()))
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PAGE.write_text(f"{before}{BEGIN}{rows}{END}{after}", "utf-8")
        shown = rows
    assert shown == rows


async def test_what_a_running_service_shows_is_on_the_page(tmp_path: Path) -> None:
    hut = Service("hut")

    @hut.get("/tea", access=anyone)
    async def tea() -> str:
        """Serve tea."""
        return "tea"

    globals()["hut"] = hut
    async with running(System("park", services=[hut]), tmp_path) as world:
        await world.get("/tea")
        text = (await world.direct("hut", "GET", "/metrics")).body.decode()
    found = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    bare = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in found}
    page = PAGE.read_text("utf-8")
    assert "http_server_request_duration_seconds" in bare
    assert [name for name in bare if f"`{name}`" not in page] == []
