"""JSON Schemas as sets of documents: references resolved, unions taken apart. What the compatibility rules stand on."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shoal.model.data import Data
from shoal.model.service import Schema

REF = "#/components/schemas/"
"""Where the schemas of a service refer to each other."""

TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})

ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"}
    | {"$comment", "$defs", "$id", "$schema", "discriminator", "externalDocs", "xml"}
)
"""Keywords that allow and forbid nothing; names that begin with ``x-`` are the same."""

Named = Mapping[str, Schema]
"""Schemas by name, as references know them."""


class Branch(Data, frozen=True, kw_only=True):
    """One way to satisfy a schema: values of one type, or some given values."""

    type: str
    """A JSON type; empty for given values."""
    rules: Schema
    """Assertions besides the type."""

    @property
    def given(self) -> tuple[Any, ...]:
        """The values, where they are given one by one."""
        values: tuple[Any, ...] = tuple(self.rules.get("enum", ()))
        return values


def resolve(schema: Any, named: Named) -> Schema:
    """Follow references and merge ``allOf``, until a schema says itself what it allows."""
    if schema is True:
        return {}
    if schema is False:
        return {"enum": []}
    found: Schema = {k: v for k, v in schema.items() if k not in ANNOTATIONS and not k.startswith("x-")}
    reference = found.pop("$ref", None)
    if isinstance(reference, str):
        target = named.get(reference.removeprefix(REF))
        inner = {"$ref": reference} if target is None else resolve(target, named)
        return _merged(inner, found)
    for part in found.pop("allOf", ()):
        found = _merged(found, resolve(part, named))
    return found


def branches(schema: Any, named: Named) -> tuple[Branch, ...]:
    """Take a schema apart into the ways to satisfy it; given values of all ways come together as one branch."""
    found = [branch for way in _ways(schema, named) for branch in _by_type(way)]
    given: list[Any] = []
    for branch in found:
        given += [value for value in branch.given if not among(value, given)]
    rest = tuple(branch for branch in found if "enum" not in branch.rules)
    if len(rest) == len(found):
        return rest
    return (*rest, Branch(type="", rules={"enum": given}))


def type_of(value: Any) -> str:
    """Name the JSON type of a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    return "array" if isinstance(value, (list, tuple)) else "object"


def covers(outer: str, inner: str) -> bool:
    """Tell whether every value of one JSON type is of the other."""
    return inner == outer or (inner == "integer" and outer == "number")


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; in JSON, unlike in Python, true is not 1."""
    return one == other and type_of(one) == type_of(other)


def spell(schema: Any, named: Named) -> str:
    """Say in a few words what a schema allows, for people."""
    words = []
    for branch in branches(schema, named):
        if branch.type:
            words.append(branch.type if branch.type != "array" else f"array of {_items(branch.rules, named)}")
        else:
            words.append(" | ".join(quoted(value) for value in branch.given) or "nothing")
    everything = TYPES - {"array", "integer"}
    return "anything" if everything <= set(words) else " | ".join(dict.fromkeys(words)) or "nothing"


def references(schema: Any) -> Iterable[str]:
    """Yield the names that a schema refers to directly."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith(REF):
            yield reference.removeprefix(REF)
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            yield from references(item)


def reachable(schemas: Iterable[Any], named: Named) -> tuple[str, ...]:
    """List the names that schemas need, directly and through each other, sorted."""
    found: set[str] = set()
    waiting = [name for schema in schemas for name in references(schema)]
    while waiting:
        name = waiting.pop()
        if name not in found and name in named:
            found.add(name)
            waiting += references(named[name])
    return tuple(sorted(found))


def _ways(schema: Any, named: Named) -> list[Schema]:
    """List the alternatives of a schema, each with what stands beside the alternatives."""
    plain = resolve(schema, named)
    for union in ("anyOf", "oneOf"):
        if union in plain:
            beside = {k: v for k, v in plain.items() if k != union}
            return [way for part in plain[union] for way in _ways(_merged(resolve(part, named), beside), named)]
    return [plain]


def _by_type(way: Schema) -> list[Branch]:
    rules = {k: v for k, v in way.items() if k != "type"}
    if "const" in rules:
        rules = {**rules, "enum": [rules.pop("const")]}
    kinds = way.get("type")
    types = TYPES - {"integer"} if kinds is None else {kinds} if isinstance(kinds, str) else set(kinds)
    if types == {"null"}:
        rules.setdefault("enum", [None])
    if "enum" in rules:
        kept = [v for v in rules["enum"] if any(covers(t, type_of(v)) for t in types)]
        return [Branch(type="", rules={"enum": kept})]
    typed = [Branch(type=kind, rules=rules) for kind in sorted(types - {"null"})]
    return [*typed, Branch(type="", rules={"enum": [None]})] if "null" in types else typed


def _merged(one: Schema, other: Schema) -> Schema:
    """Demand both; where two demands cannot be put into one schema, the pair is kept as it is."""
    found = dict(one)
    for key, value in other.items():
        if key == "required":
            found[key] = [*found.get(key, []), *(name for name in value if name not in found.get(key, []))]
        elif key == "properties":
            found[key] = {**found.get(key, {}), **value}
        elif key not in found or found[key] == value:
            found[key] = value
        else:
            found["allOf"] = [*found.get("allOf", []), {key: value}]
    return found


def among(value: Any, values: Iterable[Any]) -> bool:
    """Tell whether a JSON value is one of some."""
    return any(same(value, other) for other in values)


def _items(rules: Schema, named: Named) -> str:
    if "prefixItems" in rules:
        return ", ".join(spell(item, named) for item in rules["prefixItems"])
    inner = rules.get("items", True)
    return "anything" if inner is True or (isinstance(inner, dict) and "$ref" in inner) else spell(inner, named)


def quoted(value: Any) -> str:
    """Write a value as JSON."""
    return msgspec.json.encode(value).decode()
