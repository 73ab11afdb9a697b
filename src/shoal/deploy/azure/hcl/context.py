"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud import resource
from shoal.deploy.cloud.resource import Resource


class Context(resource.Context[Scope], frozen=True, kw_only=True, dict=True):
    """A scope and all of its resources."""


def notes(one: Resource, context: Context) -> tuple[str, ...]:
    """Say above a resource why it is there and which line asks for it."""
    return context.notes(one)
