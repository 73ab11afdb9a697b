"""How requests are spread over the replicas of a service, and how many it takes. Pure data."""

import re
from typing import Literal

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.rollout import Rollout

_HEADER = re.compile(r"[a-z][a-z0-9-]*")


class HashBy(Data, frozen=True, kw_only=True):
    """What sends requests to the same replica (consistent hashing), as long as that one lives.

    It is a matter of speed, such as a warm cache, and never of correctness: replicas come and go. Requests
    without the key go anywhere.
    """

    header: str = ""
    """Name of a header."""
    parameter: str = ""
    """Name of a path parameter."""

    def __post_init__(self) -> None:
        """Refuse none, two, and what cannot be a header."""
        if bool(self.header) == bool(self.parameter) or (self.header and not _HEADER.fullmatch(self.header)):
            raise DeclarationError(
                f"HashBy(header={self.header!r}, parameter={self.parameter!r}) names no key",
                hint="give a header in lower case, or a path parameter",
            )


class HealthCheck(Data, frozen=True, kw_only=True):
    """Replicas are asked whether they are ready, and get no requests while they are not."""

    path: str = "/ready"
    interval: float = 1.0
    """Seconds between two questions to a replica that is ready; one that is not is asked every second at least."""
    timeout: float = 1.0
    """Seconds within which it must answer with 200."""
    failures: int = 3
    """In a row, until it gets no more requests."""
    successes: int = 1
    """In a row, until it gets requests again."""

    def __post_init__(self) -> None:
        """Refuse what asks never, or too often."""
        if not (0.05 <= self.interval <= 3600 and 0.01 <= self.timeout <= 60 and self.path.startswith("/")):
            raise DeclarationError(
                f"a check of {self.path!r} every {self.interval:g} s within {self.timeout:g} s is none",
                hint="use a path, an interval of 0.05 to 3600 s and a timeout of 0.01 to 60 s",
            )
        if not (1 <= self.failures <= 100 and 1 <= self.successes <= 100):
            raise DeclarationError(
                f"{self.failures} failures and {self.successes} successes decide nothing", hint="use 1 to 100 of each"
            )


class Outliers(Data, frozen=True, kw_only=True):
    """When a replica that fails the others' requests rests for a while.

    One that cannot be connected to always does, after three times in a row.
    """

    errors: int = 0
    """Answers of 500 and above in a row after which it rests too; 0 never, since they may be the request's fault."""
    rest: float = 1.0
    """Seconds of the first rest; each further one is longer by as much, up to 10 times."""
    share: int = 50
    """Most percent of the replicas that may rest at a time."""

    def __post_init__(self) -> None:
        """Refuse what would rest nobody, or everybody for ever."""
        if not (0 <= self.errors <= 1000 and 0.05 <= self.rest <= 3600 and 1 <= self.share <= 100):
            raise DeclarationError(
                f"errors={self.errors}, rest={self.rest:g}, share={self.share} is no rule for outliers",
                hint="use 0 to 1000 errors, 0.05 to 3600 s, and 1 to 100 percent",
            )


class Shedding(Data, frozen=True, kw_only=True):
    """Refuse at once (503) what would only make everything slow; endpoints marked critical are never refused so.

    As many requests are let in at a time as leave the service about as fast as it is alone; the bound moves with it.
    """

    latency: float = 0.0
    """Seconds that a request takes while the service has little to do; measured every minute when 0."""
    least: int = 3
    """Requests at a time that are always let in."""

    def __post_init__(self) -> None:
        """Refuse what lets nothing in, or everything."""
        if not 0 <= self.latency <= 60 or not 1 <= self.least <= 10_000:
            raise DeclarationError(
                f"shedding at a latency of {self.latency:g} s with {self.least} at least is none",
                hint="use 0 to 60 s, and 1 to 10000 requests",
            )


class Traffic(Data, frozen=True, kw_only=True):
    """What callers of a service find, whoever they are."""

    connections: int = 1024
    """Connections at a time from one Envoy."""
    pending: int = 1024
    """Requests that wait for a connection; what is over it gets 503 at once."""
    requests: int = 1024
    """Requests at a time from one Envoy; what is over it gets 503 at once."""
    hash_by: HashBy | None = None
    """What keeps requests on one replica; the less busy of two replicas takes each when nothing is said."""
    health: HealthCheck | None = None
    """How replicas are asked whether they are ready; nobody asks when nothing is said, besides whoever runs them."""
    outliers: Outliers = Outliers()
    shed: Shedding | None = None
    """How it keeps its speed under more load than it can take; it takes up to `requests` when nothing is said."""
    panic: int = 50
    """Percent of ready replicas below which all of them get requests again: better some answers than none."""
    rollout: Rollout = Rollout()
    """When a new version beside the old one counts as worse, and who may ask for it by name."""
    zones: Literal["any", "near"] = "any"
    """``near``: replicas of the caller's own zone take its requests while they can, the others only then."""

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing through."""
        for name in ("connections", "pending", "requests"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise DeclarationError(f"{name}={getattr(self, name)} is no bound", hint="use 1 to 1000000")
        if not 0 <= self.panic <= 100:
            raise DeclarationError(f"panic={self.panic} is no percentage", hint="use 0 to 100")
