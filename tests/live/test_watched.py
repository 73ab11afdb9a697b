"""What alerts and dashboards ask for is what the processes of the running shop show."""

import contextlib
import http.client
import json
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shoal.deploy.kubernetes.monitoring.promql import named
from shoal.testing import LiveSystem
from tests.deploy.monitoring.test_queries import QUERIES, labels

pytestmark = pytest.mark.live

FIRST = {f"shoal_{what}_duration_seconds_count" for what in ("saga", "schedule", "projection")}
"""Durations of what may not have happened yet: they are shown from the first one on."""


def metrics(address: str) -> str:
    """Ask a replica, as Prometheus does."""
    connection = http.client.HTTPConnection("replica")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(address.removeprefix("unix:"))
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


async def test_every_metric_that_is_asked_for_is_shown(live: LiveSystem) -> None:
    assert (await live.get("/products")).status == 200
    listed = live.run("ps", "-o", "json")
    assert listed.returncode == 0, listed.stderr
    replicas = [one["address"] for one in json.loads(listed.stdout)["processes"] if one["kind"] == "service"]
    samples = [
        sample
        for address in replicas
        for family in text_string_to_metric_families(metrics(address))
        for sample in family.samples
    ]
    asked = {metric for query in QUERIES for metric, _ in named(query)} - {"up"}
    assert asked - {sample.name for sample in samples} <= FIRST
    for sample in samples:
        if sample.name in asked:
            assert set(sample.labels) <= labels(sample.name), sample.name
