"""A service's sockets as channels of its AsyncAPI 3.0 document."""

from collections.abc import Iterable
from typing import Any

from shoal.model.service import Endpoint, Parameter, Service
from shoal.model.sockets import Socket

CONTENT_TYPE = "application/json"

_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

Part = dict[str, Any]


def sockets(service: Service) -> tuple[Part, Part, Part, Part]:
    """Describe what clients say on each socket and what they hear.

    Returns:
        Channels, operations, messages and security schemes. A channel's address is the path of the upgrade; the service
        receives what clients say.
    """
    channels: Part = {}
    operations: Part = {}
    messages: Part = {}
    found = [(endpoint, endpoint.edge.socket) for endpoint in service.endpoints if endpoint.edge.socket is not None]
    for endpoint, socket in found:
        told = _messages(endpoint)
        channels[_channel_id(endpoint)] = _channel(endpoint, socket, told)
        messages |= told
        for name in told:
            action = "receive" if name == _name(endpoint, "in") else "send"
            operations[f"{action}-{_channel_id(endpoint)}"] = _operation(action, endpoint, name)
    signed = any(endpoint.access.kind == "principal" for endpoint, _ in found)
    return channels, operations, messages, {"token": _BEARER} if signed else {}


def _channel_id(endpoint: Endpoint) -> str:
    """Name a channel as no event is named: their ids have dots."""
    return f"socket-{endpoint.name}"


def _name(endpoint: Endpoint, direction: str) -> str:
    return f"{_channel_id(endpoint)}-{direction}"


def _messages(endpoint: Endpoint) -> Part:
    """Describe a message of each direction."""
    payloads = {_name(endpoint, "in"): endpoint.request, _name(endpoint, "out"): endpoint.response}
    return {
        name: {"name": name, "contentType": CONTENT_TYPE, "payload": {} if payload is None else payload}
        for name, payload in payloads.items()
    }


def _channel(endpoint: Endpoint, socket: Socket, messages: Iterable[str]) -> Part:
    found: Part = {
        "address": endpoint.path,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": _binding(endpoint)},
        "x-websocket": {
            "maxMessageBytes": socket.largest,
            "messagesPerSecond": socket.rate,
            "idleSeconds": socket.idle,
        },
    }
    if endpoint.summary:
        found["summary"] = endpoint.summary
    named = [parameter.name for parameter in endpoint.parameters if parameter.place == "path"]
    if named:
        found["parameters"] = {name: {"description": f"The {name} in the path."} for name in named}
    if endpoint.access.kind == "internal":
        found["x-internal"] = True
    return found


def _binding(endpoint: Endpoint) -> Part:
    """Describe the upgrade (AsyncAPI, WebSockets binding 0.1.0)."""
    found: Part = {"method": endpoint.method, "bindingVersion": "0.1.0"}
    for key, place in (("query", "query"), ("headers", "header")):
        taken = [parameter for parameter in endpoint.parameters if parameter.place == place]
        if taken:
            found[key] = _object(taken)
    return found


def _object(parameters: Iterable[Parameter]) -> Part:
    taken = tuple(parameters)
    found: Part = {"type": "object", "properties": {p.name: p.schema for p in taken}}
    needed = [p.name for p in taken if p.required]
    return {**found, "required": needed} if needed else found


def _operation(action: str, endpoint: Endpoint, message: str) -> Part:
    channel = f"#/channels/{_channel_id(endpoint)}"
    found: Part = {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message}"}],
    }
    if endpoint.access.kind == "principal":
        found["security"] = [{"$ref": "#/components/securitySchemes/token"}]
    return found
