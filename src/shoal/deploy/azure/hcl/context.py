"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from functools import cached_property
from typing import TypeVar

import msgspec

from shoal.deploy.azure.resources import Resource
from shoal.deploy.azure.scope import Scope

R = TypeVar("R", bound=Resource)


class Context(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A scope and all of its resources."""

    scope: Scope
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
        """Name something as Azure is to call it."""
        return self.scope.named(*parts, limit=limit)


def notes(one: Resource, context: Context) -> tuple[str, ...]:
    """Say above a resource why it is there and which line asks for it."""
    declared = f"Declared in {one.source}." if one.source and context.scope.source else ""
    return tuple(text for text in (one.why, declared) if text)
