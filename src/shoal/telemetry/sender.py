"""What sends a request of one signal to its receiver, and what may become of it."""

import ssl
from typing import Protocol

import msgspec

from shoal.telemetry.settings import TelemetrySettings


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request."""

    taken: bool
    again: bool = False
    """Whether it may be sent again."""
    gone: bool = False
    """Whether nobody listens there."""
    after: float = 0.0
    """Seconds that the receiver asks to wait."""
    reason: str = ""


class Sender(Protocol):
    """Sends requests of one signal, one at a time."""

    address: str
    """Without what may be secret in it."""

    def send(self, body: bytes) -> Outcome:
        """Send one request and read its answer; raises nothing."""
        ...

    def close(self) -> None:
        """Close the connection; another request opens one."""
        ...


def lost(error: Exception) -> Outcome:
    """Tell of a request that was not answered."""
    return Outcome(
        taken=False,
        again=not isinstance(error, ValueError),
        gone=isinstance(error, ConnectionRefusedError),
        reason=str(error) or type(error).__name__,
    )


def trusting(settings: TelemetrySettings) -> ssl.SSLContext:
    """Return what a receiver's certificate is verified with.

    Raises:
        OSError: The file of authorities cannot be read.
    """
    return ssl.create_default_context(cafile=settings.certificate or None)
