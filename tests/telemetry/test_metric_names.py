"""Every metric of a service is one that OpenTelemetry publishes, with its instrument and unit, or one of our own."""

import re
from pathlib import Path

import pytest

from shoal.runtime.metrics.catalog import CATALOG
from tests.telemetry.test_conventions import published

semconv = pytest.importorskip("opentelemetry.semconv")

METRIC = re.compile(
    r'^[A-Z_0-9]+(?:: Final)? = \(?\s*"([a-z0-9_.]+)"\s*\)?\n"""((?:(?!""").)*)"""', re.MULTILINE | re.DOTALL
)
TOLD = re.compile(r"Instrument: (\w+)\s+Unit: (\S+)")
INSTRUMENTS = {"histogram": "histogram", "counter": "counter", "level": "updowncounter", "gauge": "gauge"}


def known_metrics() -> dict[str, tuple[str, str]]:
    """Collect the metrics from the files of the published package, with their instruments and units."""
    texts = [file.read_text() for file in Path(semconv.__path__[0]).rglob("*_metrics.py")]
    found = {name: TOLD.search(about) for text in texts for name, about in METRIC.findall(text) if TOLD.search(about)}
    return {name: (told[1], told[2]) for name, told in found.items() if told is not None}


def test_what_is_not_ours_is_published_so() -> None:
    known = known_metrics()
    assert len(known) > 200
    used = {name: metric for name, metric in CATALOG.items() if not name.startswith("shoal.")}
    assert len(used) > 10
    assert {n: (INSTRUMENTS[m.kind], m.unit) for n, m in used.items()} == {n: known.get(n, ("none", "")) for n in used}


def test_labels_are_published_attributes_or_ours() -> None:
    keys = published()
    labels = {label for metric in CATALOG.values() for label in metric.labels if not label.startswith("shoal.")}
    assert labels - keys == set()
