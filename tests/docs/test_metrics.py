"""The page of metrics lists what a service can measure, no more and no less."""

import os
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import shoal.dashboard.scrape
from shoal import Service, System, anyone
from shoal.dashboard.scrape.envoy import GAUGES, SERVER, SUMS
from shoal.runtime.metrics.catalog import CATALOG
from shoal.runtime.metrics.text import prometheus_name
from shoal.telemetry.measures import Metric
from tests.runtime.world import running

SCRAPE = Path(shoal.dashboard.scrape.__file__).parent
envoy, nats, postgres, valkey = (SCRAPE / f"{name}.py" for name in ("envoy", "nats", "postgres", "valkey"))
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


def shown_of_engines() -> set[str]:
    """Read the names of the second table, of which some are short for what stands before them."""
    text = PAGE.read_text("utf-8").partition("## What Envoy and the engines tell")[2].partition("Why it is so")[0]
    found: set[str] = set()
    for line in text.splitlines():
        before = ""
        for name in re.findall(r"`([a-z_.…0-9]+)`", line.split("|")[1] if line.startswith("| `") else ""):
            stem = before.rpartition(name[1])[0] if name.startswith("…") else ""
            full = f"{stem}{name[1:]}" if name.startswith("…") else name
            before = before if name.startswith("…") else full
            found.add(full)
    return found


def test_what_the_engines_tell_is_on_the_page() -> None:
    source = "".join(file.read_text("utf-8") for file in (envoy, nats, postgres, valkey))
    told = set(re.findall(r'"((?:nats|postgresql|redis)\.[a-z_.]+)"', source))
    told |= {f"envoy.cluster.{name}" for name in (*SUMS, *GAUGES)} | {f"envoy.{name}" for name in SERVER}
    attributes = {"nats.direction", "nats.stream", "nats.consumer", "postgresql.state", "postgresql.role"}
    attributes |= {"postgresql.application"}
    assert shown_of_engines() == told - attributes


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
