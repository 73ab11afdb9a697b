"""The few spellings that every part of Envoy's JSON shares."""

import posixpath
from collections.abc import Sequence
from typing import Any

import msgspec

from shoal.mesh.layout import Address, Pipe
from shoal.model.artifact import Artifact

Json = dict[str, Any]
"""A protocol buffer message in its JSON mapping."""

OWNER_ONLY = 0o600
"""Mode of every socket that Envoy makes."""


def typed(message: str, **fields: object) -> Json:
    """Write a message with its type, as `google.protobuf.Any` wants it."""
    return {"@type": f"type.googleapis.com/{message}", **fields}


def seconds(value: float) -> str:
    """Write a duration; whole nanoseconds, never with an exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def address(where: Address, *, listen: bool = False) -> Json:
    """Write an address; a socket that Envoy makes belongs to its owner alone."""
    if isinstance(where, Pipe):
        return {"pipe": {"path": where.path, "mode": OWNER_ONLY} if listen else {"path": where.path}}
    return {"socket_address": {"address": where.host, "port_value": where.port}}


def watched(path: str) -> Json:
    """Write the source of a resource: a file that is read again when something is renamed beside it."""
    directory = {"path": posixpath.dirname(path)}
    return {
        "path_config_source": {"path": path, "watched_directory": directory},
        "resource_api_version": "V3",
    }


def document(path: str, content: Json) -> Artifact:
    """Print one file of configuration."""
    return Artifact(path=path, text=msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def discovery(path: str, resources: Sequence[Json]) -> Artifact:
    """Print resources as a discovery response (xDS protocol, file subscription)."""
    return document(path, {"resources": list(resources)})
