"""Who sends: the resource that stands before every batch."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from shoal.telemetry import conventions as names
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.wire import attributes, block, text


def resource(settings: TelemetrySettings, given: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a service; those of ``OTEL_RESOURCE_ATTRIBUTES`` come before `given` ones."""
    found = {key: value for key, value in given.items() if value} | dict(settings.resource)
    if settings.service:
        found[names.SERVICE_NAME] = settings.service
    own = {names.SDK_NAME: "shoal", names.SDK_LANGUAGE: "python", names.SDK_VERSION: _version()}
    return own | found


def encode(found: Mapping[str, str]) -> bytes:
    """Write the resource as the field that begins ``ResourceSpans``, ``ResourceLogs`` and ``ResourceMetrics``."""
    return block(1, attributes(b"\x0a", found))


def scope(name: str, of: str = "") -> bytes:
    """Write the instrumentation scope: who made the records."""
    return block(1, text(1, name) + text(2, of))


def _version() -> str:
    try:
        return version("shoal")
    except PackageNotFoundError:  # a checkout on the path
        return "0"


OURS = scope("shoal", _version())
