"""The routes as OpenAPI 2.0 with Google's extensions, which is what an API Gateway reads. Pure.

Sources: "OpenAPI 2.0 extensions" of API Gateway (``x-google-backend``: deadline in seconds, ``jwt_audience``), Swagger
2.0.
"""

import hashlib
import re

from shoal.deploy import yaml
from shoal.deploy.gcp.resources import Door, Route
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.yaml import Json
from shoal.model.service import path_parameters

_HEAD = "Written by `shoal deploy gcp`; changes are lost. The gateway says who it is to services (jwt_audience)."

_TYPES = ("string", "integer", "number", "boolean")


def document(door: Door, scope: Scope) -> str:
    """Write the document; it says PROJECT_NUMBER where the project's number is not known."""
    paths: Json = {}
    for route in door.routes:
        if servable(route):
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, scope)
    written: Json = {
        "swagger": "2.0",
        "info": {"title": scope.system, "version": scope.environment.version},
        "schemes": ["https"],
        "produces": ["application/json"],
        "paths": paths,
    }
    return yaml.document(written, head=(_HEAD,))


def servable(route: Route) -> bool:
    """Tell whether a gateway can serve a route: it changes no path that has parameters, and no header."""
    return route.inside == route.path or not path_parameters(route.inside)


def _operation(route: Route, scope: Scope) -> Json:
    found: Json = {"operationId": _named(route)}
    if route.summary:
        found["summary"] = route.summary
    if names := path_parameters(route.path):
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "type": _type(route, name)} for name in names
        ]
    found["x-google-backend"] = _backend(route, scope)
    found["responses"] = {"default": {"description": "What the service answers."}}
    return found


def _named(route: Route) -> str:
    """Name an operation for people, and apart from every other."""
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    apart = hashlib.sha256(f"{route.method} {route.path}".encode()).hexdigest()[:6]
    return "_".join([route.method.lower(), *words, apart])


def _type(route: Route, name: str) -> str:
    said = route.parameters.get(name, "string")
    return said if said in _TYPES else "string"


def _backend(route: Route, scope: Scope) -> Json:
    place = f"https://{route.service}-{scope.number}.{scope.environment.region}.run.app"
    moved = route.inside != route.path
    return {
        "address": f"{place}{route.inside}" if moved else place,
        "path_translation": "CONSTANT_ADDRESS" if moved else "APPEND_PATH_TO_ADDRESS",
        "deadline": float(route.seconds),
        "jwt_audience": place,
    }
