"""What every resource of a cloud says of itself, and what a printer is given with it. Pure data."""

from functools import cached_property
from typing import Generic, TypeVar

import msgspec

from shoal.deploy.cloud.scope import AnyScope


class Resource(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One thing in a cloud; several things of a language may stand for it."""

    name: str
    """Unique among those of its kind."""
    service: str = ""
    """The service that has it for itself; empty for what all share."""
    source: str = ""
    """Line of the declaration that asks for it."""
    why: str = ""
    waits: bool = False
    """Whether it is in a second region, which waits to take over."""


def file_of(one: Resource, topic: str) -> str:
    """Say in which file a resource is written: in that of its service, or else in that of its topic."""
    return f"service-{one.service}" if one.service else topic


R = TypeVar("R", bound=Resource)


class Context(msgspec.Struct, Generic[AnyScope], frozen=True, kw_only=True, dict=True):
    """A scope and all of its resources."""

    scope: AnyScope
    resources: tuple[Resource, ...]

    @cached_property
    def by_kind(self) -> dict[type, list[Resource]]:
        """Resources by their kind."""
        found: dict[type, list[Resource]] = {}
        for one in self.resources:
            found.setdefault(type(one), []).append(one)
        return found

    def all(self, kind: type[R]) -> list[R]:
        """List the resources of a kind."""
        return [one for one in self.by_kind.get(kind, []) if isinstance(one, kind)]

    def named(self, *parts: str, limit: int = 63) -> str:
        """Name something as the cloud is to call it."""
        return self.scope.named(*parts, limit=limit)

    def notes(self, one: Resource) -> tuple[str, ...]:
        """Say above a resource why it is there and which line asks for it."""
        declared = f"Declared in {one.source}." if one.source and self.scope.source else ""
        return tuple(text for text in (one.why, declared) if text)
