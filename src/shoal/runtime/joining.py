"""Let OpenTelemetry's API find us, where it is installed: its spans then join ours."""

from collections.abc import Mapping, MutableMapping
from importlib.metadata import entry_points
from importlib.util import find_spec

from shoal.telemetry.settings import TelemetrySettings

_GROUPS = {
    "OTEL_PYTHON_TRACER_PROVIDER": "opentelemetry_tracer_provider",
    "OTEL_PYTHON_CONTEXT": "opentelemetry_context",
}
"""The variables by which the API is told whom to take, and where it looks for them."""


def join(environ: Mapping[str, str], own: MutableMapping[str, str]) -> None:
    """Name us in the environment of this process before anybody imports the API; who is named there already stays.

    Args:
        environ: Says whether spans are exported.
        own: The environment that the API reads.
    """
    if "traces" not in TelemetrySettings.from_environ(environ).endpoints or any(name in own for name in _GROUPS):
        return
    try:
        present = find_spec("opentelemetry.trace") is not None
    except ModuleNotFoundError:
        return
    if present and all(entry_points(group=group, name="shoal") for group in _GROUPS.values()):
        own.update(dict.fromkeys(_GROUPS, "shoal"))
