"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from collections.abc import Mapping
from functools import cached_property

from shoal.deploy.azure.resources import Endpoint, Right, Secret
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud import resource
from shoal.deploy.cloud.resource import Resource


class Context(resource.Context[Scope], frozen=True, kw_only=True, dict=True):
    """A scope and all of its resources."""

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """What each secret is called in the vault."""
        return {secret.name: secret.key for secret in self.all(Secret)}

    @cached_property
    def inside(self) -> tuple[Endpoint, ...]:
        """Addresses by which the platform reads images and secrets."""
        return tuple(one for one in self.all(Endpoint) if one.to.kind in ("registry", "vault"))

    def needed(self, identity: str) -> list[str]:
        """Name the rights of an identity without which an image or a secret could not be read."""
        return self._needed.get(identity, [])

    @cached_property
    def _needed(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.all(Right):
            if one.scope.kind in ("registry", "secret"):
                found.setdefault(one.identity, []).append(one.name)
        return found


def notes(one: Resource, context: Context) -> tuple[str, ...]:
    """Say above a resource why it is there and which line asks for it."""
    return context.notes(one)
