"""Two versions of one service side by side: how requests are divided, and when a new version counts as worse.

Pure data, which Argo Rollouts, Istio and Gateway API can say as well: weights per version, one header, an analysis.
"""

from typing import Literal

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.names import check_label

VERSION_HEADER = "shoal-version"
"""Asks for a version by name, or for ``stable``, where the split honours it."""

STABLE = "stable"
"""Name of the version that serves when nothing is divided."""

Override = Literal["nobody", "inside", "anyone"]


class Rollout(Data, frozen=True, kw_only=True):
    """When a new version of a service is worse than the old one; see `shoal.model.verdict` for the rule."""

    requests: int = 50
    """Requests that the new version must have answered before it is judged."""
    errors: float = 0.01
    """Share of answers of class 5xx that it may have more than the old one."""
    slow: float = 0.10
    """Share of answers that may take longer than 95 % of the old version's, more than of the old one's."""
    override: Override = "inside"
    """Whose ``shoal-version`` header counts: ``inside``, only that of services; ``anyone``, also from outside."""

    def __post_init__(self) -> None:
        """Refuse a rule that judges nothing."""
        if self.requests < 1:
            raise DeclarationError(f"a verdict after {self.requests} requests", hint="ask for at least 1")
        for name in ("errors", "slow"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise DeclarationError(f"{name}={getattr(self, name)} is no share", hint="use 0.0 up to below 1.0")


class Split(Data, frozen=True, kw_only=True):
    """A second version of a service, and the part of the requests that it gets."""

    version: str = "canary"
    """DNS label."""
    weight: float = 0.0
    """Percent of the requests; the rest goes to the stable version. 0 keeps it for the header, 100 takes all."""
    override: Override = "inside"
    mirror: float = 0.0
    """Percent of the GET requests of which it gets a copy while its weight is 0; nobody waits for its answers.

    Others are not copied: both versions have the same store, and what changes something must happen once.
    """

    def __post_init__(self) -> None:
        """Refuse weights outside 0 to 100, and a version that could not be told from the stable one."""
        check_label("version", self.version)
        if self.version == STABLE:
            raise DeclarationError("a second version cannot be called stable", hint="call it canary, green or v2")
        if not 0.0 <= self.weight <= 100.0:
            raise DeclarationError(f"{self.weight:g} percent of the requests", hint="use 0 to 100")
        if not 0.0 <= self.mirror <= 100.0:
            raise DeclarationError(f"copies of {self.mirror:g} percent of the requests", hint="use 0 to 100")


def version_name(service: str, version: str) -> str:
    """Name what belongs to one version of a service: its cluster, its replicas, its sockets."""
    return f"{service}@{version}"
