"""Exponential histograms that change their bounds from one export to the next are still told apart by time."""

import random
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from shoal.dashboard.collector.metrics import points
from shoal.dashboard.store.reading import MetricQuery, database, metric
from shoal.dashboard.store.records import Point, Resource
from shoal.dashboard.store.writer import Writer
from shoal.telemetry.histogram import Histogram
from shoal.telemetry.measures import Family, Metric
from shoal.telemetry.measures import Point as Measured
from shoal.telemetry.metrics import Span, encode
from shoal.telemetry.resource import encode as encode_resource

START = 1_800_000_000
WHO = Resource("orders", "orders-0", "{}")
SECONDS = Metric(name="some.duration", kind="histogram", unit="s", summary="Some.")


def export(counted: Histogram, at: float) -> list[Point]:
    when = Span(since=START * 10**9, now=int(at * 1e9))
    body = encode(
        [Family(SECONDS, [Measured((("a", "b"),), counted)])], encode_resource({"service.name": "orders"}), when
    )
    message = ExportMetricsServiceRequest.FromString(body)
    (told,) = message.resource_metrics[0].scope_metrics[0].metrics
    return list(points(WHO, told))


@pytest.mark.parametrize("spread", [(0.01, 0.011), (0.001, 0.02), (1e-6, 30.0)])
def test_each_step_has_its_own_quantiles(tmp_path: Path, spread: tuple[float, float]) -> None:
    chance, counted, writer = random.Random(7), Histogram(), Writer(tmp_path / "run-000001.db")  # noqa: S311 - a test
    writer.put(export(counted, START))
    medians, scales = [], set()
    for step in range(1, 7):
        middle = spread[0] * (spread[1] / spread[0]) ** (step / 6)
        values = sorted(middle * chance.uniform(0.99, 1.01) for _ in range(101))
        for value in (*values, *([0.0] if step == 3 else [])):
            counted.record(value)
        medians.append(values[50])
        scales.add(counted.scale)
        writer.put(export(counted, START + 5 * step))
    assert writer.flush()
    with database(tmp_path / "run-000001.db") as opened:
        (found,) = metric(opened, MetricQuery(name="some.duration")).series
    writer.close()
    assert found.attributes == {"a": "b"}
    assert [round(value * 5) for value in found.values] == [101, 101, 102, 101, 101, 101]
    width = 2**2.0 ** -min(scales)
    assert [
        p50 == pytest.approx(true, rel=width - 1 + 0.02)
        for p50, true in zip(found.quantiles["p50"], medians, strict=True)
    ] == [True] * 6
    means = found.mean
    assert all(mean == pytest.approx(true, rel=0.02) for mean, true in zip(means, medians, strict=True))


def test_what_was_first_measured_after_others_has_its_quantiles_from_the_beginning(tmp_path: Path) -> None:
    early, late, writer = Histogram(), Histogram(), Writer(tmp_path / "run-000001.db")
    early.record(1.0)
    writer.put([point._replace(name="other.duration") for point in export(early, START)])
    for step, value in ((1, 0.25), (2, 0.5)):
        late.record(value)
        writer.put(export(late, START + 5 * step))
    assert writer.flush()
    with database(tmp_path / "run-000001.db") as opened:
        (found,) = metric(opened, MetricQuery(name="some.duration")).series
    writer.close()
    assert found.values == [0.2, 0.2]
    assert found.quantiles["p99"] == [pytest.approx(0.25, rel=0.05), pytest.approx(0.5, rel=0.05)]
    assert found.mean == [pytest.approx(0.25), pytest.approx(0.5)]


def test_the_traces_of_the_largest_measurements_are_kept(tmp_path: Path) -> None:
    counted, writer = Histogram(), Writer(tmp_path / "run-000001.db")
    for number, value in enumerate([0.1, 0.4, 3.0, 0.2], 1):
        counted.record(value, f"{number:032x}", f"{number:016x}")
    writer.put(export(counted, START))
    writer.put(export(counted, START + 5))  # told again, kept once
    assert writer.flush()
    with database(tmp_path / "run-000001.db") as opened:
        (found,) = metric(opened, MetricQuery(name="some.duration")).series
        nobody = metric(opened, MetricQuery(name="some.duration", until=0.0)).series
    writer.close()
    assert [(each.value, each.trace_id) for each in found.exemplars] == [
        (3.0, f"{3:032x}"),
        (0.4, f"{2:032x}"),
        (0.2, f"{4:032x}"),
        (0.1, f"{1:032x}"),
    ]
    assert [one.exemplars for one in nobody] == [[]]
