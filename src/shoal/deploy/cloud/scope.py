"""A plan and the environment that it is written for, as every cloud has them. Pure.

Each cloud has a ``Scope`` of its own, which narrows `Scope.environment` and adds what it alone asks.
"""

from typing import Self, TypeVar

import msgspec

from shoal.deploy.cloud.naming import joined
from shoal.deploy.cloud.settings import Environment, Size
from shoal.deploy.cloud.system import Planned
from shoal.model.plan import ServicePlan


class Scope(Planned, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    first: Environment | None = None
    """In a second region: the environment as it is in the first; None where this is the first."""

    @property
    def passive(self) -> bool:
        """Whether this is a second region, which has copies of what the first keeps and waits to take over."""
        return self.first is not None

    def standing_by(self) -> Self | None:
        """Return the scope of the second region: the same plan in another role; None where nobody asks for one."""
        if self.environment.standby is None:
            return None
        return msgspec.structs.replace(self, environment=self.environment.second(), first=self.environment)

    def both(self) -> tuple[Self, ...]:
        """Return the scopes of all of its regions: its own, and that of the second where there is one."""
        other = self.standing_by()
        return (self,) if other is None else (self, other)

    def origin(self) -> Self:
        """Return the scope of the first region; the same where this is the first."""
        return self if self.first is None else msgspec.structs.replace(self, environment=self.first, first=None)

    def named(self, *parts: str, limit: int = 63) -> str:
        """Name something of this system in this environment."""
        return joined(self.system, self.environment.name, *parts, limit=limit)

    def size(self, service: ServicePlan) -> Size:
        """Decide how large a service is; every cloud derives its settings from the same answer."""
        said, rest = self.environment.services.get(service.name, Size()), self.environment.least
        least = said.least or (max(rest, service.replicas) if rest else 0)
        return msgspec.structs.replace(said, least=least, most=max(least, said.most or self.environment.most))


AnyScope = TypeVar("AnyScope", bound=Scope)
