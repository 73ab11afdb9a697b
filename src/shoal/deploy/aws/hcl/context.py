"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from functools import cached_property

from shoal.deploy.aws.hcl.references import ADDRESSES, LOOKED_UP
from shoal.deploy.aws.resources import Copied
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud import resource
from shoal.deploy.cloud.hcl import with_references
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.values import Ref, Value
from shoal.deploy.terraform import values as hcl


class Context(resource.Context[Scope], frozen=True, kw_only=True, dict=True):
    """A scope and all of its resources, and how one refers to another."""

    @cached_property
    def _given(self) -> frozenset[tuple[str, str]]:
        found = (one for one in self.resources if isinstance(one, Copied) and one.place == "given")
        return frozenset((type(one).__name__.lower(), one.name) for one in found)

    def at(self, ref: Ref) -> hcl.Raw:
        """Write a reference; what another folder made is looked up."""
        known = LOOKED_UP if (ref.kind, ref.name) in self._given else ADDRESSES
        return known.at(ref)

    def key(self, one: resource.Resource) -> hcl.Raw:
        """Refer to the key that encrypts what a resource has: that of its own region."""
        abroad = isinstance(one, Copied) and one.place == "abroad"
        return self.at(Ref("key", f"data-{STANDBY}" if abroad else "data"))

    def written(self, value: Value) -> hcl.Value:
        """Write a value."""
        return with_references(value, self.at)
