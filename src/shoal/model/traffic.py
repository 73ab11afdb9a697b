"""How requests are spread over the replicas of a service, and how many it takes. Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data


class Traffic(Data, frozen=True, kw_only=True):
    """What callers of a service find, whoever they are."""

    connections: int = 1024
    """Connections at a time from one Envoy."""
    pending: int = 1024
    """Requests that wait for a connection; what is over it gets 503 at once."""
    requests: int = 1024
    """Requests at a time from one Envoy; what is over it gets 503 at once."""

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing through."""
        for name in ("connections", "pending", "requests"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise DeclarationError(f"{name}={getattr(self, name)} is no bound", hint="use 1 to 1000000")
