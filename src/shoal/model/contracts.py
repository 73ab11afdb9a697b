"""Contracts as files: a JSON Schema for each version of each event, an OpenAPI document for each service.

Who consumes a contract stands in no file: it follows from the system.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from shoal.errors import ContractError
from shoal.model.artifact import Artifact
from shoal.model.data import Data
from shoal.model.openapi import openapi
from shoal.model.schemas import REF, reachable
from shoal.model.service import Event, Schema, Service, closeness
from shoal.model.system import System

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LOCAL = "#/$defs/"
"""Where the schemas within one event's file refer to each other."""

WIDTH = 100
"""Characters of a line, roughly."""

_TALL = frozenset({"properties", "$defs", "paths", "schemas", "components"})
"""Objects whose members are read one by one, however short they are."""

_METHODS = ("get", "post", "put", "patch", "delete")


class LockedEvent(Data, frozen=True, kw_only=True):
    """One version of an event, as its file has it."""

    id: str
    service: str
    path: str
    key: str = ""
    mode: str = "structured"
    schema: Schema
    named: dict[str, Schema]
    """What `schema` refers to."""


class LockedService(Data, frozen=True, kw_only=True):
    """The HTTP side of a service, as its file has it."""

    name: str
    path: str
    document: dict[str, Any]


class Locked(Data, frozen=True, kw_only=True):
    """Everything that the files of contracts say."""

    events: tuple[LockedEvent, ...] = ()
    services: tuple[LockedService, ...] = ()


def event_path(event: str) -> str:
    """Name the file of an event's version: ``orders/events/placed.v1.json`` for ``orders.placed.v1``."""
    owner, _, rest = event.partition(".")
    return f"{owner}/events/{rest}.json"


def http_path(service: str) -> str:
    """Name the file of a service's operations."""
    return f"{service}/http.json"


def artifacts(system: System) -> tuple[Artifact, ...]:
    """Write every contract of a system, each in a file of its own, the same text for the same contract."""
    found = []
    for service in system.services:
        found += [Artifact(path=event_path(e.id), text=_text(_event(service, e))) for e in service.publishes]
        if service.endpoints:
            found.append(Artifact(path=http_path(service.name), text=_text(_http(service))))
    return tuple(sorted(found, key=lambda artifact: artifact.path))


def kept(system: System, texts: Mapping[str, str]) -> tuple[Artifact, ...]:
    """Keep the files of versions that nobody publishes any more but some upcaster still reads."""
    accepted = {older for service in system.services for s in service.subscriptions for older in s.accepts}
    paths = {event_path(event) for event in accepted} - {artifact.path for artifact in artifacts(system)}
    return tuple(Artifact(path=path, text=texts[path]) for path in sorted(paths) if path in texts)


def read(texts: Mapping[str, str]) -> Locked:
    """Read the files of contracts by their paths; what is no contract by its path is left alone.

    Raises:
        ContractError: A file is no JSON, or not of the form that `artifacts` writes.
    """
    events, services = [], []
    for path, text in sorted(texts.items()):
        service, _, rest = path.partition("/")
        if rest == "http.json":
            services.append(LockedService(name=service, path=path, document=_document(path, text, "paths")))
        elif rest.startswith("events/") and rest.endswith(".json"):
            name = rest.removeprefix("events/").removesuffix(".json")
            events.append(_locked_event(f"{service}.{name}", path, _document(path, text, "$schema")))
    return Locked(events=tuple(events), services=tuple(services))


def declared(system: System) -> Locked:
    """Say of a declared system what its files would say."""
    return read({artifact.path: artifact.text for artifact in artifacts(system)})


def _event(service: Service, event: Event) -> dict[str, Any]:
    """Write an event's schema as a document that stands alone."""
    schema, named = event.schema, service.schemas
    top = str(schema.get("$ref", "")).removeprefix(REF)
    whole = named[top] if top in named and len(schema) == 1 else schema
    needed = reachable([whole], named)
    marks = {"x-key": event.key, "x-mode": "" if event.mode == "structured" else event.mode, "x-failure": event.failure}
    found = {"$schema": DIALECT, "$id": event.id, **{k: v for k, v in marks.items() if v}, **_moved(whole, REF, LOCAL)}
    return {**found, "$defs": {name: _moved(named[name], REF, LOCAL) for name in needed}} if needed else found


def _http(service: Service) -> dict[str, Any]:
    """Write the operations of a service as OpenAPI, in an order that does not depend on that of the code."""
    document = openapi(service)
    paths = {
        path: {method: document["paths"][path][method] for method in _METHODS if method in document["paths"][path]}
        for path in sorted(document["paths"], key=closeness)
    }
    schemas = document["components"]["schemas"]
    needed = {*reachable([paths], schemas), "ProblemDetails"}
    components = {**document["components"], "schemas": {name: schemas[name] for name in sorted(needed)}}
    return {**document, "paths": paths, "components": components}


def _locked_event(event: str, path: str, document: dict[str, Any]) -> LockedEvent:
    marks = ("$schema", "$id", "x-key", "x-mode", "x-failure", "$defs")
    schema = {key: value for key, value in document.items() if key not in marks}
    named = document.get("$defs", {})
    return LockedEvent(
        id=event,
        service=event.partition(".")[0],
        path=path,
        key=str(document.get("x-key", "")),
        mode=str(document.get("x-mode", "structured")),
        schema=_moved(schema, LOCAL, REF),
        named=_moved(named, LOCAL, REF) if isinstance(named, dict) else {},
    )


def _document(path: str, text: str, needs: str) -> dict[str, Any]:
    hint = "restore it from version control, or remove it and write it anew: shoal contract lock"
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ContractError(f"cannot read the contract {path}: {error}", hint=hint) from error
    if needs not in found:
        raise ContractError(f"cannot read the contract {path}: it has no {needs!r}", hint=hint)
    return found


def _moved(node: Any, before: str, after: str) -> Any:
    """Let references point to another place."""
    if isinstance(node, list):
        return [_moved(item, before, after) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _moved(value, before, after) for key, value in node.items()}
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith(before):
        found["$ref"] = after + reference.removeprefix(before)
    return found


def _text(document: dict[str, Any]) -> str:
    return _lines(document, "", broken=True) + "\n"


def _lines(node: Any, indent: str, *, broken: bool = False) -> str:
    """Write JSON so that a change of one field is a change of one line: short values stay on theirs."""
    plain = json.dumps(node, ensure_ascii=False)
    if not isinstance(node, (dict, list)) or not node or (not broken and len(indent) + len(plain) <= WIDTH):
        return plain
    deeper = indent + "  "
    if isinstance(node, list):
        return "[\n" + ",\n".join(deeper + _lines(item, deeper) for item in node) + f"\n{indent}]"
    items = [f"{deeper}{json.dumps(k)}: {_lines(v, deeper, broken=k in _TALL)}" for k, v in node.items()]
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"
