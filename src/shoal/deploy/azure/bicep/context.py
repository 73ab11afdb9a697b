"""What each printer is given besides the resource: everything that there is, and the references of its file."""

from collections.abc import Iterator, Mapping

import msgspec

from shoal.deploy.azure.bicep.references import KINDS, LOCATION, References, symbol
from shoal.deploy.azure.hcl import context as hcl
from shoal.deploy.azure.scope import Scope
from shoal.deploy.bicep.values import Raw, Resource, Value
from shoal.deploy.cloud import resource

TAGS, HERE = Raw("tags"), Raw(LOCATION)
TAGGED: Mapping[str, Value] = {"location": HERE, "tags": TAGS}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an environment."""

    whole: hcl.Context
    references: References

    @property
    def scope(self) -> Scope:
        """The plan and its environment."""
        return self.whole.scope

    def made(self, kind: str, one: resource.Resource, body: Mapping[str, Value], **more: bool) -> Resource:
        """Begin a resource of ours, below what it lies in."""
        return self.part(kind, one.name, body, notes=self.whole.notes(one), **more)

    def part(
        self, kind: str, name: str, body: Mapping[str, Value], *, notes: tuple[str, ...] = (), once: bool = False
    ) -> Resource:
        """Write a resource of a kind that is referred to."""
        parent = self.references.parent(kind, name)
        inside: dict[str, Value] = {"parent": Raw(self.references.symbol(*parent))} if parent else {}
        named: dict[str, Value] = {**inside, "name": self.references.called(kind, name), **body}
        return Resource(symbol=symbol(kind, name), kind=KINDS[kind], body=named, notes=notes, once=once)

    def rights(self, identity: str) -> list[str]:
        """Name the rights without which an image or a secret could not be read; they are in the identity's file."""
        return [symbol("right", name) for name in self.whole.needed(identity)]


Declared = Iterator[Resource]
"""What a printer gives."""
