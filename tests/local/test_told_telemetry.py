"""Where services of a local run send telemetry: to its dashboard, but for what was sent elsewhere from outside."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shoal.local.environment import telemetry
from shoal.telemetry.settings import TelemetrySettings
from tests.mesh.samples import TINY, planned

HERE, THERE = "http://127.0.0.1:4300", "http://127.0.0.1:4317"


@pytest.mark.parametrize(
    ("outside", "protocols"),
    [
        ({}, {"traces": "http/protobuf", "logs": "http/protobuf"}),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"traces": "http/protobuf", "logs": "http/protobuf"}),
        ({"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc"}, {"traces": "http/protobuf", "logs": "http/protobuf"}),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": THERE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            {"traces": "grpc", "logs": "http/protobuf"},
        ),
    ],
)
def test_a_protocol_from_outside_is_spoken_only_to_an_address_from_outside(
    outside: dict[str, str], protocols: dict[str, str]
) -> None:
    world: Any = SimpleNamespace(telemetry=HERE)
    told = telemetry(planned(TINY), "stock", "stock-0", cast("Any", world), outside)
    settings = TelemetrySettings.from_environ(told)
    assert {signal: settings.protocols[signal] for signal in protocols} == protocols
    assert settings.endpoints["logs"] == f"{HERE}/v1/logs"
    own = outside.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    assert settings.endpoints["traces"] == (own or f"{HERE}/v1/traces")
