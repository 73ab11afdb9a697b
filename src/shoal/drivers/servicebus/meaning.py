"""What Service Bus means when it refuses.

Source: "Service Bus messaging exceptions"; the errors of AMQP 1.0, parts 2 and 3.
"""

from shoal.drivers.servicebus.client import Refused
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared


class Gone(Unavailable):
    """Say that a topic or a subscription does not exist."""


class Held(Unavailable):
    """Say that somebody else has a session."""


class Untaken(EngineError):
    """Say that what was sent can never be taken as it is."""


_FORBIDDEN = "declare what the service says and hears, and give who it is the right to send or to listen there"
_KINDS: dict[str, tuple[type[ShoalError], str]] = {
    "amqp:not-found": (Gone, "declare it first"),
    "com.microsoft:entity-not-found": (Gone, "declare it first"),
    "amqp:unauthorized-access": (Undeclared, _FORBIDDEN),
    "com.microsoft:auth-failed": (Undeclared, _FORBIDDEN),
    "com.microsoft:session-cannot-be-locked": (Held, "it is free when whoever has it closes it, or its time is over"),
    "amqp:link:message-size-exceeded": (Untaken, "keep large content elsewhere and send its address"),
    "com.microsoft:argument-error": (Untaken, ""),
    "com.microsoft:argument-out-of-range": (Untaken, ""),
    "amqp:not-allowed": (Untaken, ""),
    "amqp:decode-error": (Untaken, ""),
}


def error(what: str, refused: Refused) -> ShoalError:
    """Say what it means that something was refused; whatever is not known may be otherwise soon."""
    kind, hint = _KINDS.get(refused.condition, (Unavailable, "it is tried again"))
    return kind(f"{what}: {refused}", hint=hint)
