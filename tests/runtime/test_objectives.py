"""Requests count for the objectives of their endpoint and of their service, each at its own threshold."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from shoal import Objective, Problem, Service, System, anyone
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.metrics.text import render
from tests.runtime.world import World, running

QUICK = Objective(latency=0.3, target=0.99)
STEADY = Objective(availability=0.999)

hut = Service("hut", objectives=[STEADY])


@hut.get("/tea/{cups}", access=anyone, objectives=[Objective(latency=60.0), STEADY])
async def tea(cups: int) -> str:
    """Serve tea, as long as there is some."""
    if cups > 3:
        raise Problem(503, "no-tea", "all gone")
    if not cups:
        raise Problem(404, "no-cup", "with what?")
    return "tea"


@hut.get("/cake", access=anyone)
async def cake() -> str:
    """Serve cake."""
    return "cake"


def counted(text: str) -> dict[tuple[str, str, str], float]:
    keys = ("shoal_operation", "shoal_objective", "shoal_outcome")
    return {
        (sample.labels[keys[0]], sample.labels[keys[1]], sample.labels[keys[2]]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "shoal_objective_requests_total"
    }


async def shown(world: World) -> dict[tuple[str, str, str], float]:
    return counted((await world.direct("hut", "GET", "/metrics")).body.decode())


async def test_requests_count_for_endpoint_and_service(tmp_path: Path) -> None:
    async with running(System("park", services=[hut]), tmp_path) as world:
        before = await shown(world)
        assert set(before.values()) == {0.0}
        for path in ("/tea/1", "/tea/2", "/tea/0", "/tea/7", "/cake", "/nowhere"):
            await world.get(path)
        after = await shown(world)
    assert after == {
        ("hut", "availability", "good"): 4,
        ("hut", "availability", "bad"): 1,
        ("hut.tea", "availability", "good"): 3,
        ("hut.tea", "availability", "bad"): 1,
        ("hut.tea", "latency-60s", "good"): 3,
        ("hut.tea", "latency-60s", "bad"): 0,
    }


def test_the_threshold_is_exact_and_failures_are_no_answers() -> None:
    metrics = Metrics()
    series = metrics.requests("hut.tea", (), metrics.promises.of("hut.tea", [QUICK]))
    for status, seconds in (("200", 0.3), ("200", 0.300001), ("404", 0.1), ("500", 0.1), ("503", 9.0)):
        series.observe(status, seconds)
    found = counted(render(metrics.snapshot()).decode())
    assert (found["hut.tea", "latency-0.3s", "good"], found["hut.tea", "latency-0.3s", "bad"]) == (2, 1)
