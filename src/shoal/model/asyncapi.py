"""A service's events and sockets as an AsyncAPI 3.0 document."""

from typing import Any

from shoal.model.asyncapi_sockets import sockets
from shoal.model.service import Event, Service

CONTENT_TYPE = "application/cloudevents+json"


def asyncapi(service: Service) -> dict[str, Any]:
    """Describe what `service` announces, hears and converses about; schemas of what it hears are their owners'."""
    heard = sorted(id for s in service.subscriptions for id in s.heard)
    said = [e.id for e in service.publishes]
    operations = {f"announce-{e}": _operation("send", e) for e in said} | {
        f"handle-{e}": _operation("receive", e) for e in heard
    }
    foreign = {e: _foreign(e) for e in heard if e not in said}
    channels, conversing, messages, schemes = sockets(service)
    components: dict[str, Any] = {
        "messages": {**{e.id: _message(e) for e in service.publishes}, **foreign, **messages},
        "schemas": service.schemas,
    }
    if schemes:
        components["securitySchemes"] = schemes
    return {
        "asyncapi": "3.0.0",
        "info": {"title": service.name, "version": service.version, "description": service.summary},
        "defaultContentType": CONTENT_TYPE,
        "channels": {e: _channel(e) for e in sorted({*said, *heard})} | channels,
        "operations": operations | conversing,
        "components": components,
    }


def _channel(event: str) -> dict[str, Any]:
    return {"address": event, "messages": {event: {"$ref": f"#/components/messages/{event}"}}}


def _operation(action: str, event: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{event}"},
        "messages": [{"$ref": f"#/channels/{event}/messages/{event}"}],
    }


def _message(event: Event) -> dict[str, Any]:
    if event.mode == "binary":
        return {
            "name": event.id,
            "contentType": "application/json",
            "headers": _binary_headers(event.id),
            "payload": event.schema,
        }
    return {
        "name": event.id,
        "contentType": CONTENT_TYPE,
        "payload": _cloud_event(event.id, event.schema),
    }


def _foreign(event: str) -> dict[str, Any]:
    return {
        "name": event,
        "contentType": CONTENT_TYPE,
        "payload": _cloud_event(event, {}),
        "description": f"Its data is described by its owner, {event.partition('.')[0]}.",
    }


def _binary_headers(event: str) -> dict[str, Any]:
    """Describe the headers that carry the attributes in binary mode (CloudEvents, NATS protocol binding)."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce-specversion", "ce-id", "ce-source", "ce-type"],
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-id": text,
            "ce-source": {"type": "string", "format": "uri-reference"},
            "ce-type": {"const": event},
            "ce-time": {"type": "string", "format": "date-time"},
            "ce-subject": text,
            "ce-datacontenttype": {"const": "application/json"},
            "ce-traceparent": text,
            "ce-tracestate": text,
        },
    }


def _cloud_event(event: str, data: dict[str, Any]) -> dict[str, Any]:
    """Describe the envelope of CloudEvents 1.0 in structured mode around the event's own schema."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": {"type": "string", "format": "uri-reference"},
            "type": {"const": event},
            "time": {"type": "string", "format": "date-time"},
            "subject": text,
            "datacontenttype": {"const": "application/json"},
            "traceparent": text,
            "tracestate": text,
            "data": data,
        },
    }
