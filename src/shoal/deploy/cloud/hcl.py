"""References → Terraform's expressions, and names → its labels, by a cloud's table of addresses. Pure."""

import re
from collections.abc import Callable, Mapping

import msgspec

from shoal.deploy.cloud.values import Join, Ref, Value
from shoal.deploy.terraform import values as hcl

HEAD = "Written by `shoal deploy {}`; changes are lost. Resources of yours go into files of other names beside it."


class Addresses(msgspec.Struct, frozen=True):
    """Kind and attribute → where Terraform has it, with ``{}`` for the label."""

    table: Mapping[tuple[str, str], str]

    def at(self, ref: Ref) -> hcl.Raw:
        """Write a reference."""
        return hcl.Raw(self.table[ref.kind, ref.attribute].format(label(ref.name)))

    def written(self, value: Value) -> hcl.Value:
        """Write a value."""
        return with_references(value, self.at)


def with_references(value: Value, at: Callable[[Ref], hcl.Raw]) -> hcl.Value:
    """Write a value, each reference in it as `at` writes it."""
    if isinstance(value, Ref):
        return at(value)
    if isinstance(value, Join):
        return hcl.Text(tuple(at(part) if isinstance(part, Ref) else part for part in value.parts))
    return value


def label(name: str) -> str:
    """Name a resource in Terraform."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def resource(kind: str, name: str, *items: hcl.Item, notes: tuple[str, ...] = ()) -> hcl.Block:
    """Begin a resource."""
    return hcl.Block(kind="resource", labels=(kind, label(name)), body=items, notes=notes)


def output(name: str, description: str, value: hcl.Value) -> hcl.Block:
    """Give something out."""
    body = hcl.items({"description": description, "value": value})
    return hcl.Block(kind="output", labels=(name,), body=body)


def json(document: hcl.Value) -> hcl.Call:
    """Write a document that is text to the cloud."""
    return hcl.Call("jsonencode", (document,))
