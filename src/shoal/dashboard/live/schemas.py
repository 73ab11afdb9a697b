"""A schema for a form: itself, and every named one that it leads to. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shoal.model.service import Schema


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a form is made of."""

    schema: Schema
    named: dict[str, Schema] = {}
    """By name; references end in ``/NAME``."""


def form(schema: Schema | None, schemas: Mapping[str, Schema]) -> Form | None:
    """Gather what a schema refers to, directly and through others; None for no schema."""
    if schema is None:
        return None
    named: dict[str, Schema] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in named:
            named[name] = schemas[name]
            waiting += _references(schemas[name])
    return Form(schema=schema, named=named)


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _references(inner)
