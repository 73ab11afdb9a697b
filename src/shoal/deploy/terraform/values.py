"""What an argument of Terraform may be: data, expressions, and text with expressions in it. Pure data."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec


class Raw(msgspec.Struct, frozen=True):
    """An expression, written as it is: ``aws_vpc.main.id``."""

    text: str


class Text(msgspec.Struct, frozen=True):
    """Text with expressions in it: ``Text(("arn:", Raw("local.name")))`` is ``"arn:${local.name}"``."""

    parts: tuple[str | Raw, ...]


class Call(msgspec.Struct, frozen=True):
    """A function of some arguments: ``Call("jsonencode", (document,))``."""

    function: str
    arguments: tuple["Value", ...]


class Noted(msgspec.Struct, frozen=True):
    """A value, and why it is what it is: written above its name."""

    value: "Value"
    why: str


Scalar = str | int | float | bool | None
Value: TypeAlias = "Scalar | Raw | Text | Call | Noted | Mapping[str, Value] | Sequence[Value]"


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One block: ``resource "aws_vpc" "main" { ... }``."""

    kind: str
    labels: tuple[str, ...] = ()
    body: tuple["Item", ...] = ()
    notes: tuple[str, ...] = ()
    """Paragraphs of comment above it."""


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a block."""

    name: str
    value: Value


Item = Argument | Block


def items(arguments: Mapping[str, Value] | None = None, *blocks: Block) -> tuple[Item, ...]:
    """Make the body of a block: arguments first, blocks after them."""
    return (*(Argument(name=name, value=value) for name, value in (arguments or {}).items()), *blocks)


def block(kind: str, *labels: str, **arguments: Value) -> Block:
    """Make a block that has only arguments."""
    return Block(kind=kind, labels=labels, body=items(arguments))
