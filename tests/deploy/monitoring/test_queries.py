"""Every query names a metric that services show, by labels that it has, with values that it takes."""

import re
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shoal import Objective, Postgres, Problem, Service, System, Transaction, anyone, event
from shoal.deploy.kubernetes.monitoring.promql import duration, named
from shoal.runtime.metrics.catalog import CATALOG
from shoal.runtime.metrics.text import prometheus_label, prometheus_name
from tests.deploy.monitoring.shop import alerts, dashboards, shown
from tests.runtime.world import running

OF_PROMETHEUS = frozenset({"namespace", "job", "pod"})
"""Labels that a target gets from its ServiceMonitor."""

HISTOGRAM = ("_bucket", "_count", "_sum")
QUERIES = [rule["expr"] for rule in alerts()] + shown()
BY_NAME = {
    prometheus_name(metric) + suffix: metric
    for metric in CATALOG.values()
    for suffix in (HISTOGRAM if metric.kind == "histogram" else ("",))
}
WORDS = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LANGUAGE = frozenset(
    [
        "sum",
        "by",
        "max",
        "count",
        "rate",
        "increase",
        "last_over_time",
        "histogram_quantile",
        "and",
        "or",
        "unless",
        "le",
    ]
)


def labels(metric: str) -> frozenset[str]:
    own = {prometheus_label(label) for label in BY_NAME[metric].labels}
    return OF_PROMETHEUS | own | ({"le"} if metric.endswith("_bucket") else set())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_what_there_is(query: str) -> None:
    found = named(query)
    assert found
    for metric, matched in found:
        if metric == "up":  # Prometheus' own, of each target
            continue
        assert metric in BY_NAME, f"no service shows {metric}"
        assert set(matched) <= labels(metric), f"{metric} has no such label: {matched}"
    known = set().union(*(labels(metric) for metric, _ in found if metric != "up"), OF_PROMETHEUS)
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in grouped.split(",")} <= known


@pytest.mark.parametrize("query", QUERIES)
def test_nothing_is_named_without_braces(query: str) -> None:
    """Whatever is left without selectors, groupings, times and text is the language's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)|\boffset \d+[mhd]|\b[\d.]+\b", " ", query)
    rest = {word for word in WORDS.findall(bare) if word not in LANGUAGE}
    assert rest <= {metric for metric, _ in named(query)}


def test_every_outcome_that_is_asked_for_is_one() -> None:
    asked = {
        (metric, outcome)
        for query in QUERIES
        for metric, outcome in re.findall(r'([a-z_]+)\{[^}]*shoal_outcome="([a-z]+)"', query)
    }
    assert len(asked) >= 5
    for metric, outcome in asked:
        assert re.search(rf"\b{outcome}\b", BY_NAME[metric].summary), f"{metric} ends as {outcome}?"


@event("hut.poured", key="cup")
class Poured(msgspec.Struct):
    cup: str


hut = Service("hut", store=Postgres(), publishes=[Poured], objectives=[Objective(availability=0.999)])


@hut.get("/tea/{cups}", access=anyone, objectives=[Objective(latency=60.0)])
async def tea(cups: int, tx: Transaction) -> str:
    """Serve tea, as long as there is some."""
    if cups > 3:
        raise Problem(503, "no-tea", "all gone")
    tx.publish(Poured(cup=str(cups)))
    return "tea"


@hut.on(Poured)
async def poured(event: Poured, tx: Transaction) -> None:
    """Hear of it."""


async def test_a_running_service_shows_what_is_asked_for(tmp_path: Path) -> None:
    async with running(System("park", services=[hut]), tmp_path) as world:
        for cups in (1, 2, 7):
            await world.get(f"/tea/{cups}")
        text = (await world.direct("hut", "GET", "/metrics")).body.decode()
    shown = {s.name: set(s.labels) for family in text_string_to_metric_families(text) for s in family.samples}
    asked = {metric for query in QUERIES for metric, _ in named(query)} - {"up"}
    absent = {"saga", "sagas", "projection", "schedule", "cache", "circuit"}  # which this service has not
    absent |= {"client", "memory", "cpu", "uptime", "loop"}  # of a process and its pool: here the test is the process
    assert {name.split("_")[1] for name in asked - set(shown)} <= absent
    for metric in asked & set(shown):
        assert shown[metric] <= labels(metric)
    assert {"http_server_request_duration_seconds_bucket", "shoal_objective_requests_total"} <= asked & set(shown)


def test_dashboards_fill_a_grid_without_overlapping() -> None:
    for board in dashboards():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_map_shows_every_service_once_and_leads_to_its_signals() -> None:
    lights = [panel for panel in dashboards()[2]["panels"] if panel["type"] == "stat"]
    names = [panel["title"] for panel in lights]
    assert sorted(names) == sorted(
        {"users", "products", "inventory", "orders", "payments"}
        | {"notifications", "web", "mobile", "partner", "analytics"}
    )
    assert all(f"var-service={panel['title']}&" in panel["links"][0]["url"] for panel in lights)


@pytest.mark.parametrize(("seconds", "text"), [(30, "30s"), (300, "5m"), (3600, "1h"), (5400, "90m"), (259200, "3d")])
def test_times_are_written_in_the_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
