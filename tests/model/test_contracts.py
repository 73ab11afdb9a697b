"""Contracts in files: readable, the same for the same system, valid for others' tools, and read back without loss."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from shoal.errors import ContractError
from shoal.model import Access, Endpoint, Event, Service, Store, Subscription, System
from shoal.model.contracts import artifacts, event_path, http_path, kept, read
from shoal.model.evolution import evolve
from tests.model.strategies import systems

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TREE = {"$ref": "#/components/schemas/Tree"}
TREES: dict[str, Any] = {
    "Tree": {"type": "object", "properties": {"trees": {"type": "array", "items": TREE}}, "required": ["trees"]},
    "Other": {"type": "string"},
}


def texts(system: System) -> dict[str, str]:
    return {artifact.path: artifact.text for artifact in artifacts(system)}


def forest(**changed: Any) -> System:
    event = Event(name="wood.grown", key="trees", schema=TREE, source="wood.py:3")
    wood = Service(name="wood", entry="wood:wood", publishes=(event,), schemas=TREES, store=Store())
    return System(name="forest", services=(msgspec.structs.replace(wood, **changed),))


@EXAMPLES
@given(systems())
def test_a_system_agrees_with_its_own_files(system: System) -> None:
    assert evolve(read(texts(system)), system) == ()


@EXAMPLES
@given(systems())
def test_each_event_and_each_service_has_one_file(system: System) -> None:
    wanted = {event_path(e.id) for s in system.services for e in s.publishes}
    wanted |= {http_path(s.name) for s in system.services if s.endpoints}
    found = artifacts(system)
    assert {a.path for a in found} == wanted
    assert len(found) == len(wanted)


@EXAMPLES
@given(systems())
def test_the_order_of_the_code_is_not_in_the_files(system: System) -> None:
    services = tuple(
        msgspec.structs.replace(s, endpoints=s.endpoints[::-1], publishes=s.publishes[::-1])
        for s in reversed(system.services)
    )
    assert texts(msgspec.structs.replace(system, services=services)) == texts(system)


@EXAMPLES
@given(systems())
def test_the_files_are_valid_for_others(system: System) -> None:
    for artifact in artifacts(system):
        document = json.loads(artifact.text)
        if artifact.path.endswith("http.json"):
            OpenAPIV31SpecValidator(document).validate()
        else:
            jsonschema.Draft202012Validator.check_schema(document)
        assert artifact.text.endswith("}\n")
        assert max(map(len, artifact.text.splitlines())) < 200


def test_the_schema_of_an_event_stands_alone() -> None:
    text = texts(forest())["wood/events/grown.v1.json"]
    document = json.loads(text)
    assert (document["$id"], document["x-key"], document["type"]) == ("wood.grown.v1", "trees", "object")
    assert list(document["$defs"]) == ["Tree"], "what it does not need is left out"
    jsonschema.Draft202012Validator(document).validate({"trees": [{"trees": []}]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(document).validate({"trees": [{}]})


def test_the_operations_of_a_service_bring_what_they_need_and_no_more() -> None:
    show = Endpoint(name="show", method="GET", path="/trees", access=Access(kind="anyone"), response=TREE)
    schemas = {"Zoo": {"type": "string"}, **TREES}
    document = json.loads(texts(forest(endpoints=(show,), schemas=schemas))["wood/http.json"])
    assert list(document["components"]["schemas"]) == ["ProblemDetails", "Tree"]


def test_a_field_has_a_line_of_its_own() -> None:
    text = texts(forest())["wood/events/grown.v1.json"]
    assert '    "trees": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}\n' in text


def test_the_schema_of_a_version_that_is_still_read_is_kept() -> None:
    before = texts(forest())
    second = Event(name="wood.grown", version=2, schema=TREE)
    reading = (Subscription(event="wood.grown.v2", handler="on_grown", accepts=("wood.grown.v1",)),)
    after = forest(publishes=(second,), subscriptions=reading)
    assert [a.path for a in kept(after, before)] == ["wood/events/grown.v1.json"]
    assert kept(forest(publishes=(second,)), before) == ()
    assert [(c.rule, c.contract) for c in evolve(read(before), after)] == [("added", "wood.grown.v2")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', "[" * 9999])
@pytest.mark.parametrize("path", ["wood/events/grown.v1.json", "wood/http.json"])
def test_what_is_no_contract_is_refused_with_its_name(path: str, text: str) -> None:
    with pytest.raises(ContractError, match=path):
        read({path: text})


def test_a_document_of_another_form_is_refused_with_its_name() -> None:
    odd = '{"paths": {"/x": {"get": {"responses": []}}}}'
    with pytest.raises(ContractError, match="wood/http"):
        evolve(read({"wood/http.json": odd}), forest())


def test_other_files_are_left_alone() -> None:
    assert read({"breaking.md": "# x", "wood/notes.txt": "{"}) == read({})
