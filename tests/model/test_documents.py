"""The documents of random systems, against the official schemas."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from jsonschema.protocols import Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from shoal.model import System
from shoal.model.asyncapi import asyncapi
from shoal.model.openapi import openapi
from tests.model.strategies import systems

SCHEMAS = Path(__file__).parent.parent / "schemas"
EXAMPLES = settings(max_examples=15, deadline=None)


@cache
def validator(name: str) -> Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (v for k, v in node.items() if k == "$ref" and isinstance(v, str))
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from references(child)


def resolves(document: Any, reference: str) -> bool:
    node = document
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return True


@EXAMPLES
@given(systems())
def test_openapi_documents_are_valid(system: System) -> None:
    for service in system.services:
        document: Any = openapi(service)
        OpenAPIV31SpecValidator(document).validate()
        served = {(m, p) for p, item in document["paths"].items() for m in item}
        assert served == {(e.method.lower(), e.path) for e in service.endpoints}


@EXAMPLES
@given(systems())
def test_asyncapi_documents_are_valid(system: System) -> None:
    for service in system.services:
        document: Any = asyncapi(service)
        validator("asyncapi-3.0.0").validate(document)
        assert all(resolves(document, reference) for reference in references(document))
        said = {o["channel"]["$ref"] for o in document["operations"].values() if o["action"] == "send"}
        sockets = [e for e in service.endpoints if e.edge.socket is not None]
        assert said == {f"#/channels/{e.id}" for e in service.publishes} | {
            f"#/channels/socket-{e.name}" for e in sockets
        }


@EXAMPLES
@given(systems())
def test_documents_say_who_may_call(system: System) -> None:
    for service in system.services:
        document: Any = openapi(service)
        for endpoint in service.endpoints:
            operation = document["paths"][endpoint.path][endpoint.method.lower()]
            assert ("security" in operation) == (endpoint.access.kind == "principal")
            assert operation.get("x-internal", False) == (endpoint.access.kind == "internal")
