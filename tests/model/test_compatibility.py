"""What breaks the readers of what we send, and the senders of what we receive; and what breaks nobody."""

import string
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.model.compatibility import Direction, compare
from shoal.model.schemas import spell

EXAMPLES = settings(deadline=None)
TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


def thing(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


CLOSED = {"additionalProperties": False}

# old, new, what breaks where we send it, what breaks where we receive it
CASES: dict[str, tuple[Any, Any, set[tuple[str, str]], set[tuple[str, str]]]] = {
    "a field more": (thing(), thing(a=TEXT), set(), set()),
    "a required field more": (thing(), thing(("a",), a=TEXT), set(), {("$.a", "field-required")}),
    "a field less": (thing(a=TEXT), thing(), {("$.a", "field-removed")}, set()),
    "a required field less": (thing(("a",), a=TEXT), thing(), {("$.a", "field-removed")}, set()),
    "a field less where unknown ones are refused": (
        thing(a=TEXT) | CLOSED,
        thing() | CLOSED,
        {("$.a", "field-removed")},
        {("$.a", "field-removed")},
    ),
    "a field more where unknown ones are refused": (
        thing() | CLOSED,
        thing(a=TEXT) | CLOSED,
        {("$.a", "field-unknown")},
        set(),
    ),
    "unknown fields refused": (thing(a=TEXT), thing(a=TEXT) | CLOSED, set(), {("$", "field-unknown")}),
    "unknown fields accepted": (thing(a=TEXT) | CLOSED, thing(a=TEXT), set(), set()),
    "required becomes optional": (thing(("a",), a=TEXT), thing(a=TEXT), {("$.a", "field-optional")}, set()),
    "optional becomes required": (thing(a=TEXT), thing(("a",), a=TEXT), set(), {("$.a", "field-required")}),
    "another type": (TEXT, WHOLE, {("$", "type")}, {("$", "type")}),
    "whole numbers become any": (WHOLE, {"type": "number"}, {("$", "type")}, set()),
    "null is let in": (TEXT, maybe(TEXT), {("$", "value")}, set()),
    "null is let in, spelled shorter": (TEXT, {"type": ["string", "null"]}, {("$", "value")}, set()),
    "a type more": (TEXT, {"oneOf": [TEXT, WHOLE]}, {("$", "type")}, set()),
    "a value more": ({"enum": ["a"]}, {"enum": ["a", "b"]}, {("$", "value")}, set()),
    "constants are values": ({"const": 1}, {"anyOf": [{"const": 1}, {"const": 2}]}, {("$", "value")}, set()),
    "true is not 1": ({"const": 1}, {"const": True}, {("$", "value")}, {("$", "value")}),
    "values become texts": ({"enum": ["a"]}, TEXT, {("$", "type")}, set()),
    "values become short texts": ({"enum": ["abc"]}, TEXT | {"maxLength": 2}, {("$", "type")}, {("$", "value")}),
    "a range grows": (WHOLE | {"minimum": 1}, WHOLE | {"minimum": 0}, {("$", "bound")}, set()),
    "a range loses its end": (WHOLE | {"maximum": 5}, WHOLE, {("$", "bound")}, set()),
    "an open end": (WHOLE | {"exclusiveMinimum": 1}, WHOLE | {"minimum": 1}, {("$", "bound")}, set()),
    "multiples": (WHOLE | {"multipleOf": 4}, WHOLE | {"multipleOf": 2}, {("$", "bound")}, set()),
    "a longer text": (TEXT | {"maxLength": 5}, TEXT | {"maxLength": 6}, {("$", "bound")}, set()),
    "an empty text": (TEXT | {"minLength": 1}, TEXT, {("$", "bound")}, set()),
    "a pattern goes": (TEXT | {"pattern": "^a"}, TEXT, {("$", "rule")}, set()),
    "another pattern": (TEXT | {"pattern": "^a"}, TEXT | {"pattern": "^b"}, {("$", "rule")}, {("$", "rule")}),
    "a format goes": (TEXT | {"format": "date-time"}, TEXT, {("$", "rule")}, set()),
    "anything": (TEXT, {}, {("$", "type")}, set()),
    "nothing": (TEXT, False, set(), {("$", "type")}),
    "items of another type": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": WHOLE},
        {("$[]", "type")},
        {("$[]", "type")},
    ),
    "a longer list": ({"type": "array", "maxItems": 1}, {"type": "array"}, {("$", "bound")}, set()),
    "repeated items": ({"type": "array", "uniqueItems": True}, {"type": "array"}, {("$", "rule")}, set()),
    "another place": (
        {"type": "array", "prefixItems": [TEXT, WHOLE], "items": False, "minItems": 2, "maxItems": 2},
        {"type": "array", "prefixItems": [TEXT, TEXT], "items": False, "minItems": 2, "maxItems": 2},
        {("$[1]", "type")},
        {("$[1]", "type")},
    ),
    "a map of something else": (
        {"type": "object", "additionalProperties": WHOLE},
        {"type": "object", "additionalProperties": {"type": "number"}},
        {("$.*", "type")},
        set(),
    ),
    "places that nothing fills": (
        {"type": "array", "prefixItems": [TEXT], "maxItems": 1},
        {"type": "array", "prefixItems": [TEXT], "items": False},
        {("$", "bound")},
        set(),
    ),
    "any object becomes one with names": ({"type": "object"}, thing(a=TEXT), set(), {("$.a", "type")}),
    "a map becomes an object with names": (
        {"type": "object", "additionalProperties": WHOLE},
        thing(a=TEXT),
        {("$.a", "type")},
        {("$.a", "type")},
    ),
    "a rule that nobody knows": (
        {"type": "object", "propertyNames": {"maxLength": 1}},
        {"type": "object", "propertyNames": {"maxLength": 2}},
        {("$", "rule")},
        {("$", "rule")},
    ),
    "words": (
        {"title": "A", "description": "x", "x-y": 1} | TEXT,
        {"default": "", "$comment": "z"} | TEXT,
        set(),
        set(),
    ),
    "parts that all hold": ({"allOf": [thing(("a",), a=TEXT)]}, thing(("a",), a=TEXT), set(), set()),
    "deep within": (
        thing(lines={"type": "array", "items": thing(("n",), n=WHOLE)}),
        thing(lines={"type": "array", "items": thing(("n",), n=maybe(WHOLE))}),
        {("$.lines[].n", "value")},
        set(),
    ),
}


def found(old: Any, new: Any, direction: Direction, **named: Any) -> set[tuple[str, str]]:
    return {(clash.path, clash.kind) for clash in compare(old, new, direction, **named)}


@pytest.mark.parametrize("name", CASES)
def test_each_change_breaks_whom_it_breaks(name: str) -> None:
    old, new, sent, received = CASES[name]
    assert found(old, new, "sent") == sent
    assert found(old, new, "received") == received


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_readers_breaks_senders_the_other_way_round(name: str) -> None:
    """One relation, two directions; but we send no fields without a name, and others may."""
    old, new, _, _ = CASES[name]
    named = [c for c in compare(new, old, "received") if not c.path.endswith(".*")]
    back = {clash for clash in named if clash.kind != "field-unknown"}
    assert {(c.path, c.new, c.old) for c in back} <= {(c.path, c.old, c.new) for c in compare(old, new, "sent")}


def test_a_clash_says_what_was_and_what_is() -> None:
    (clash,) = compare(thing(a={"enum": ["x"]}), thing(a={"enum": ["x", "y"]}), "sent")
    assert (clash.path, clash.old, clash.new) == ("$.a", '"x"', '"x" | "y"')
    (clash,) = compare(thing(), thing(("a",), a=TEXT), "received")
    assert (clash.old, clash.new) == ("absent", "required")
    (clash,) = compare(WHOLE | {"minimum": 1, "maximum": 9}, WHOLE | {"exclusiveMinimum": 3}, "received")
    assert (clash.old, clash.new) == (">= 1 and <= 9", "> 3")


TREE = {"$ref": "#/components/schemas/Tree"}
TREES = {"Tree": thing(("leaf",), leaf=TEXT, trees={"type": "array", "items": TREE})}


def test_schemas_that_contain_themselves_come_to_an_end() -> None:
    other = {"Tree": thing(("leaf",), leaf=WHOLE, trees={"type": "array", "items": TREE})}
    assert found(TREE, TREE, "sent", known=TREES, now=TREES) == set()
    assert found(TREE, TREE, "sent", known=TREES, now=other) == {("$.leaf", "type")}


def test_the_name_of_a_schema_is_no_part_of_it() -> None:
    renamed = {
        "Baum": thing(("leaf",), leaf=TEXT, trees={"type": "array", "items": {"$ref": "#/components/schemas/Baum"}})
    }
    new = {"$ref": "#/components/schemas/Baum"}
    assert found(TREE, new, "sent", known=TREES, now=renamed) == set()


def test_schemas_are_spelled_for_people() -> None:
    assert spell({}, {}) == "anything"
    assert spell({"type": "array", "items": maybe(WHOLE)}, {}) == "array of integer | null"
    assert spell({"enum": ["a", None]}, {}) == '"a" | null'
    assert spell(False, {}) == "nothing"


NAMES = st.sampled_from("abc")
BOUNDS = st.integers(0, 3)


def _rules(**kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=kinds)


def _typed(name: str, rules: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return rules.map(lambda found: {"type": name, **found})


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, inner, max_size=3))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    closed = draw(_rules(additionalProperties=st.just(False)))
    return {"type": "object", "properties": properties, "required": required, **closed}


LEAVES = st.one_of(
    _typed("string", _rules(minLength=st.integers(0, 1), maxLength=st.integers(1, 3), pattern=st.just("^[a-b]*$"))),
    _typed("integer", _rules(minimum=BOUNDS, exclusiveMaximum=st.integers(4, 6))),
    _typed("number", _rules(exclusiveMinimum=BOUNDS, maximum=st.integers(4, 6))),
    st.lists(st.sampled_from(("a", "ab", 1, None, True)), min_size=1, unique_by=repr).map(lambda v: {"enum": v}),
    st.sampled_from(({"type": "null"}, {"type": "boolean"}, {"const": 2}, {"type": ["string", "null"]})),
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        st.builds(lambda i, r: {"type": "array", "items": i, **r}, inner, _rules(minItems=BOUNDS, maxItems=st.just(3))),
        st.lists(inner, min_size=1, max_size=3).map(lambda ways: {"anyOf": ways}),
        st.tuples(inner, inner).map(
            lambda p: {"type": "array", "prefixItems": list(p), "items": False, "minItems": 2, "maxItems": 2}
        ),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
    ),
    max_leaves=6,
)


def documents(schema: Any) -> st.SearchStrategy[Any]:
    """Draw a document as somebody sends it who knows the schema: fields that it names, and no others."""
    if "anyOf" in schema:
        return st.one_of([documents(way) for way in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kinds = schema["type"]
    return st.one_of([_of_type(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_type(kind: str, schema: Any) -> st.SearchStrategy[Any]:
    if kind == "object" and "properties" in schema:
        fields = {name: documents(inner) for name, inner in schema["properties"].items()}
        always = {name: value for name, value in fields.items() if name in schema["required"]}
        return st.fixed_dictionaries(always, optional={n: v for n, v in fields.items() if n not in always})
    if kind == "object":
        return st.dictionaries(NAMES, documents(schema["additionalProperties"]))
    if kind == "array" and "prefixItems" in schema:
        return st.tuples(*map(documents, schema["prefixItems"])).map(list)
    if kind == "array":
        return st.lists(documents(schema["items"]), min_size=schema.get("minItems", 0), max_size=schema.get("maxItems"))
    return _scalar(kind, schema)


def _scalar(kind: str, schema: Any) -> st.SearchStrategy[Any]:
    if kind == "string":
        letters = "ab" if "pattern" in schema else string.ascii_letters
        return st.text(letters, min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 5))
    if kind == "integer":
        return st.integers(schema.get("minimum", -3), schema.get("exclusiveMaximum", 10) - 1)
    if kind == "number":
        lowest, open_ = schema.get("exclusiveMinimum", -3), "exclusiveMinimum" in schema
        return st.floats(lowest, schema.get("maximum", 10), exclude_min=open_)
    return st.none() if kind == "null" else st.booleans()


@EXAMPLES
@given(SCHEMAS)
def test_what_did_not_change_breaks_nobody(schema: Any) -> None:
    assert compare(schema, schema, "sent") == ()
    assert compare(schema, schema, "received") == ()


@EXAMPLES
@given(st.data(), SCHEMAS, SCHEMAS)
def test_what_breaks_nobody_is_read_by_everybody(data: st.DataObject, old: Any, new: Any) -> None:
    if not compare(old, new, "sent"):
        jsonschema.Draft202012Validator(old).validate(data.draw(documents(new)))
    if not compare(old, new, "received"):
        jsonschema.Draft202012Validator(new).validate(data.draw(documents(old)))


STRUCTURE = ("type", "properties", "required", "items", "prefixItems", "additionalProperties", "enum", "const", "anyOf")


@st.composite
def _changed(draw: st.DrawFn, schema: Any) -> Any:
    """Change one thing in a schema."""
    if not isinstance(schema, dict):
        return schema
    deeper = [
        key for key, value in schema.items() if isinstance(value, dict) and key in ("items", "additionalProperties")
    ]
    action = draw(st.sampled_from(["drop", "union", "field", *deeper]))
    if action in deeper:
        return {**schema, action: draw(_changed(schema[action]))}
    if action == "drop":
        dropped = draw(st.sampled_from(sorted(schema)))
        return {k: v for k, v in schema.items() if k != dropped or k in STRUCTURE}
    if action == "field" and schema.get("properties"):
        name = draw(st.sampled_from(sorted(schema["properties"])))
        inner = draw(_changed(schema["properties"][name]) | st.none())
        rest = {k: v for k, v in schema["properties"].items() if k != name}
        required = [n for n in schema["required"] if n != name]
        return {**schema, "properties": rest | ({name: inner} if inner else {}), "required": required}
    return {"anyOf": [schema, draw(LEAVES)]}


@EXAMPLES
@given(st.data(), SCHEMAS)
def test_a_small_change_that_breaks_nobody_is_read_by_everybody(data: st.DataObject, schema: Any) -> None:
    """As above, with pairs that are close to each other, so that more of them are compatible."""
    other = data.draw(_changed(schema))
    for old, new in ((schema, other), (other, schema)):
        if not compare(old, new, "sent"):
            jsonschema.Draft202012Validator(old).validate(data.draw(documents(new)))
        if not compare(old, new, "received"):
            jsonschema.Draft202012Validator(new).validate(data.draw(documents(old)))
