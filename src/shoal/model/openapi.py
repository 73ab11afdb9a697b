"""A service's HTTP side as an OpenAPI 3.1 document."""

from typing import Any

from shoal.model.service import Endpoint, Parameter, Service

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
    },
    "required": ["type", "title", "status"],
}
"""Schema of every answer of class 4xx and 5xx."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a request under the same key gives the same answer and has no second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def openapi(service: Service) -> dict[str, Any]:
    """Describe every endpoint of `service`; internal ones are marked ``x-internal``."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in service.endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    components: dict[str, Any] = {"schemas": {**service.schemas, "ProblemDetails": PROBLEM}}
    if any(e.access.kind == "principal" for e in service.endpoints):
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": service.version, "description": service.summary},
        "paths": paths,
        "components": components,
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "responses": {str(endpoint.status): _answer(endpoint), "default": _refusal()},
    }
    operation |= _end(endpoint) | _conversation(endpoint)
    if endpoint.summary:
        operation["summary"] = endpoint.summary
    parameters = [_parameter(p) for p in endpoint.parameters] + ([IDEMPOTENCY_KEY] if endpoint.idempotent else [])
    if parameters:
        operation["parameters"] = parameters
    if endpoint.request is not None and endpoint.edge.socket is None:
        operation["requestBody"] = {
            "required": endpoint.request_required,
            "content": {"application/json": {"schema": endpoint.request}},
        }
    if endpoint.access.kind == "principal":
        operation["security"] = [{"token": list(endpoint.access.scopes)}]
    if endpoint.access.roles:
        operation["x-roles"] = list(endpoint.access.roles)
    if endpoint.access.claims:
        operation["x-claims"] = {claim.name: list(claim.values) for claim in endpoint.access.claims}
    if endpoint.access.consumers:
        operation["x-consumers"] = list(endpoint.access.consumers)
    if endpoint.access.kind == "internal":
        operation["x-internal"] = True
    return operation


def _conversation(endpoint: Endpoint) -> dict[str, Any]:
    """Say what OpenAPI has no words for: an upgrade, and the messages after it."""
    socket = endpoint.edge.socket
    if socket is None:
        return {}
    told = {"receives": endpoint.request, "sends": endpoint.response, "maxMessageBytes": socket.largest}
    return {"responses": {"101": {"description": "Upgraded."}, "default": _refusal()}, "x-websocket": told}


def _end(endpoint: Endpoint) -> dict[str, Any]:
    version = endpoint.edge.version
    if version is None or not (version.deprecated or version.sunset):
        return {}
    return {"deprecated": True} | ({"x-sunset": version.sunset.isoformat()} if version.sunset else {})


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "schema": parameter.schema,
    }


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.response is None:
        return {"description": "Done."}
    media = "application/json" if endpoint.edge.stream is None else "text/event-stream"
    return {"description": "Done.", "content": {media: {"schema": endpoint.response}}}


def _refusal() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": "It was not done.", "content": {"application/problem+json": {"schema": schema}}}
