"""A service's events as an AsyncAPI 3.0 document."""

from typing import Any

from shoal.model.service import Event, Service

CONTENT_TYPE = "application/cloudevents+json"


def asyncapi(service: Service) -> dict[str, Any]:
    """Describe what `service` announces, and name what it hears; the latter's schemas are their owners'."""
    heard = sorted(s.event for s in service.subscriptions)
    said = [e.id for e in service.publishes]
    operations = {f"announce-{e}": _operation("send", e) for e in said} | {
        f"handle-{e}": _operation("receive", e) for e in heard
    }
    foreign = {e: _foreign(e) for e in heard if e not in said}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": service.name, "version": service.version, "description": service.summary},
        "defaultContentType": CONTENT_TYPE,
        "channels": {e: _channel(e) for e in sorted({*said, *heard})},
        "operations": operations,
        "components": {
            "messages": {**{e.id: _message(e) for e in service.publishes}, **foreign},
            "schemas": service.schemas,
        },
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
            "data": data,
        },
    }
