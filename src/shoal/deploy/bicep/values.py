"""What a file of Bicep may hold: declarations, and values as Terraform's printer takes them. Pure data."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from shoal.deploy.terraform.values import Raw, Scalar, Text

__all__ = ["Declaration", "Keyed", "Module", "Noted", "Output", "Parameter", "Raw", "Resource", "Text", "Value"]


class Noted(msgspec.Struct, frozen=True):
    """A value, and why it is what it is: written above its name."""

    value: "Value"
    why: str


class Keyed(msgspec.Struct, frozen=True):
    """An object with one property, whose name is an expression: ``{ '${identity.id}': {} }``."""

    name: Raw
    value: "Value"


Value: TypeAlias = "Scalar | Raw | Text | Noted | Keyed | Mapping[str, Value] | Sequence[Value]"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is said when the file is deployed."""

    name: str
    kind: Literal["string", "object"] = "string"
    default: Value = None
    secure: bool = False
    why: str = ""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource: ``resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = { ... }``."""

    symbol: str
    kind: str
    """With its version."""
    body: Mapping[str, Value]
    existing: bool = False
    """Whether another file makes it."""
    once: bool = False
    """Whether it is left alone where it is there already."""
    notes: tuple[str, ...] = ()


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """Another file."""

    symbol: str
    path: str
    params: Mapping[str, Value] = {}
    after: tuple[str, ...] = ()
    """Symbols of modules that come first."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a file gives out."""

    name: str
    value: Value


Declaration = Parameter | Resource | Module | Output
