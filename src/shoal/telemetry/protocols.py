"""The protocols that telemetry is sent by."""

from shoal.errors import SettingsError
from shoal.telemetry.over_http import HttpSender
from shoal.telemetry.sender import Sender
from shoal.telemetry.settings import GRPC, HTTP, TelemetrySettings


def sender(signal: str, settings: TelemetrySettings) -> Sender:
    """Return what sends a signal as the settings say.

    Raises:
        SettingsError: By gRPC, and its package is not installed.
    """
    address = settings.endpoints[signal]
    if settings.protocols.get(signal, HTTP) != GRPC:
        return HttpSender(address, settings)
    try:
        from shoal.telemetry.over_grpc import GrpcSender  # noqa: PLC0415 - h2 is not everybody's
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "shoal":
            raise
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL={GRPC!r} needs the package {error.name}", hint="pip install 'shoal[grpc]'"
        ) from None
    return GrpcSender(signal, address, settings)
