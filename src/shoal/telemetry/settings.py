"""Where telemetry goes and how much of it: the standard ``OTEL_*`` variables (OpenTelemetry specification 1.x)."""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import msgspec

from shoal.errors import SettingsError

SIGNALS = ("traces", "logs", "metrics")

HTTP, GRPC = "http/protobuf", "grpc"

SAMPLERS = ("always_on", "always_off", "traceidratio")


class Batching(msgspec.Struct, frozen=True, kw_only=True):
    """How records of one signal are gathered."""

    delay: float = 1.0
    """Seconds after which what waits is sent."""
    queue: int = 8192
    """Records that may wait; what comes beyond is dropped, and counted."""
    batch: int = 1024
    """Records of one request."""


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment asks for; with no endpoint nothing is recorded."""

    endpoints: Mapping[str, str] = {}
    """Full address for each signal that is exported."""
    protocols: Mapping[str, str] = {}
    """How it is exported: ``http/protobuf`` or ``grpc``; the first where nothing is said."""
    headers: Mapping[str, str] = {}
    timeout: float = 10.0
    """Seconds for one request."""
    compression: str = ""
    certificate: str = ""
    """File of the authorities that the receiver's certificate may come from."""
    sampler: str = "parentbased_always_on"
    ratio: float = 1.0
    slow: float = 1.0
    """Seconds from which the local part of an unsampled trace is kept."""
    spans: Batching = Batching()
    logs: Batching = Batching()
    metrics_pause: float = 60.0
    """Seconds between two exports of metrics."""
    resource: Mapping[str, str] = {}
    service: str = ""

    @property
    def active(self) -> bool:
        """Whether anything is exported."""
        return bool(self.endpoints)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "TelemetrySettings":
        """Read the variables; `SettingsError` names one that is malformed."""
        read = _Reader(environ)
        sampler = read.text("OTEL_TRACES_SAMPLER") or "parentbased_always_on"
        if sampler.removeprefix("parentbased_") not in SAMPLERS:
            raise read.wrong("OTEL_TRACES_SAMPLER", f"one of {', '.join(SAMPLERS)}, with parentbased_ before or not")
        protocols = {signal: _protocol(read, signal) for signal in SIGNALS}
        return cls(
            endpoints=_endpoints(read, protocols),
            protocols=protocols,
            headers=read.pairs("OTEL_EXPORTER_OTLP_HEADERS"),
            timeout=read.number("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000.0) / 1000,
            compression=_compression(read),
            certificate=read.text("OTEL_EXPORTER_OTLP_CERTIFICATE"),
            sampler=sampler,
            ratio=_ratio(read),
            slow=read.number("SHOAL_TRACES_SLOW", 1000.0) / 1000,
            spans=_batching(read, "OTEL_BSP"),
            logs=_batching(read, "OTEL_BLRP"),
            metrics_pause=read.number("OTEL_METRIC_EXPORT_INTERVAL", 60_000.0) / 1000,
            resource=read.pairs("OTEL_RESOURCE_ATTRIBUTES"),
            service=read.text("OTEL_SERVICE_NAME"),
        )


class _Reader:
    """Reads variables; an empty one counts as absent, as the specification asks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def number(self, name: str, default: float, least: float = 0.0) -> float:
        written = self.text(name)
        if not written:
            return default
        try:
            value = float(written)
        except ValueError:
            raise self.wrong(name, "a number") from None
        if not least <= value < float("inf"):
            raise self.wrong(name, f"a number from {least:g}")
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """Read ``key=value,key=value`` with percent-encoded values (W3C Baggage)."""
        found = {}
        for item in filter(None, map(str.strip, self.text(name).split(","))):
            key, equals, value = item.partition("=")
            if not equals or not key.strip():
                raise self.wrong(name, "key=value, separated by commas")
            found[key.strip()] = unquote(value.strip())
        return found

    def wrong(self, name: str, wanted: str) -> SettingsError:
        shown = "***" if "HEADERS" in name else repr(self.text(name))
        return SettingsError(f"{name}={shown} is not understood", hint=f"it takes {wanted}")


def _endpoints(read: _Reader, protocols: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each signal; one of gRPC has no path, for the call says which signal it is."""
    if read.text("OTEL_SDK_DISABLED").lower() == "true":
        return {}
    base, found = read.text("OTEL_EXPORTER_OTLP_ENDPOINT"), {}
    for signal in SIGNALS:
        own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
        path = f"/v1/{signal}" if protocols[signal] == HTTP else ""
        address = read.text(own) or (base.rstrip("/") + path if base else "")
        if read.text(f"OTEL_{signal.upper()}_EXPORTER") == "none" or not address:
            continue
        if not _is_address(address):
            raise read.wrong(own if read.text(own) else "OTEL_EXPORTER_OTLP_ENDPOINT", "http://HOST:PORT or https://…")
        found[signal] = address
    return found


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        return False


def _protocol(read: _Reader, signal: str) -> str:
    for name in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if found := read.text(name):
            if found not in (HTTP, GRPC):
                raise read.wrong(name, f"{HTTP}, on the collector's port 4318, or {GRPC}, on 4317")
            return found
    return HTTP


def _compression(read: _Reader) -> str:
    found = read.text("OTEL_EXPORTER_OTLP_COMPRESSION")
    if found not in ("", "none", "gzip"):
        raise read.wrong("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none")
    return "" if found == "none" else found


def _ratio(read: _Reader) -> float:
    value = read.number("OTEL_TRACES_SAMPLER_ARG", 1.0)
    if value > 1:
        raise read.wrong("OTEL_TRACES_SAMPLER_ARG", "a share from 0 to 1")
    return value


def _batching(read: _Reader, prefix: str) -> Batching:
    queue = int(read.number(f"{prefix}_MAX_QUEUE_SIZE", 8192, 1))
    return Batching(
        delay=read.number(f"{prefix}_SCHEDULE_DELAY", 1000.0, 1) / 1000,
        queue=queue,
        batch=min(queue, int(read.number(f"{prefix}_MAX_EXPORT_BATCH_SIZE", 1024, 1))),
    )
