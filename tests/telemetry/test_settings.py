"""The standard variables mean what the standard says, and what is malformed is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from shoal.errors import SettingsError
from shoal.telemetry.sampling import Sampler
from shoal.telemetry.settings import TelemetrySettings

HERE = "http://127.0.0.1:4318"


def read(**variables: str) -> TelemetrySettings:
    return TelemetrySettings.from_environ(variables)


def test_without_an_endpoint_nothing_is_active() -> None:
    assert not read().active
    assert not read(OTEL_EXPORTER_OTLP_ENDPOINT=" ").active
    assert not read(OTEL_EXPORTER_OTLP_ENDPOINT=HERE, OTEL_SDK_DISABLED="true").active


def test_the_base_is_completed_and_an_own_address_is_taken_as_it_is() -> None:
    found = read(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"{HERE}/otlp/",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="https://logs.example/in",
        OTEL_METRICS_EXPORTER="none",
    )
    assert found.endpoints == {"traces": f"{HERE}/otlp/v1/traces", "logs": "https://logs.example/in"}


def test_a_protocol_is_chosen_for_all_signals_or_for_one() -> None:
    found = read(OTEL_EXPORTER_OTLP_ENDPOINT=HERE, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="grpc")
    assert found.protocols == {"traces": "grpc", "logs": "http/protobuf", "metrics": "http/protobuf"}
    assert (found.endpoints["traces"], found.endpoints["logs"]) == (HERE, f"{HERE}/v1/logs")
    everything = read(OTEL_EXPORTER_OTLP_ENDPOINT=HERE, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert set(everything.endpoints.values()) == {HERE}


def test_units_are_those_of_the_standard() -> None:
    found = read(
        OTEL_EXPORTER_OTLP_TIMEOUT="2500",
        OTEL_BSP_SCHEDULE_DELAY="250",
        OTEL_BSP_MAX_QUEUE_SIZE="10",
        OTEL_METRIC_EXPORT_INTERVAL="5000",
        SHOAL_TRACES_SLOW="200",
        OTEL_RESOURCE_ATTRIBUTES="a=1, b=x%20y ,,c=",
    )
    assert (found.timeout, found.spans.delay, found.metrics_pause, found.slow) == (2.5, 0.25, 5.0, 0.2)
    assert (found.spans.queue, found.spans.batch) == (10, 10)
    assert found.resource == {"a": "1", "b": "x y", "c": ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:many"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "GRPC"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.version"),
    ],
)
def test_what_is_malformed_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        TelemetrySettings.from_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, name: value})


def test_headers_that_are_malformed_are_not_repeated() -> None:
    with pytest.raises(SettingsError) as raised:
        read(OTEL_EXPORTER_OTLP_HEADERS="a-key-of-a-vendor")
    assert "vendor" not in str(raised.value)


@given(st.integers(1, 2**128 - 1), st.floats(0, 1))
def test_a_share_is_the_one_that_the_official_sampler_takes(trace: int, share: float) -> None:
    ours = Sampler(TelemetrySettings(sampler="traceidratio", ratio=share)).samples(f"{trace:032x}", parent=False)
    theirs = TraceIdRatioBased(share).should_sample(None, trace, "").decision
    assert ours == (theirs is Decision.RECORD_AND_SAMPLE)


@pytest.mark.parametrize(
    ("sampler", "parent", "sampled"),
    [
        ("always_on", False, True),
        ("always_off", True, False),
        ("parentbased_always_on", None, True),
        ("parentbased_always_on", False, False),
        ("parentbased_always_off", None, False),
        ("parentbased_always_off", True, True),
        ("parentbased_traceidratio", True, True),
        ("parentbased_traceidratio", None, False),
    ],
)
def test_samplers(sampler: str, parent: bool | None, sampled: bool) -> None:
    settings = TelemetrySettings(sampler=sampler, ratio=0.0)
    assert Sampler(settings).samples("f" * 32, parent) is sampled
