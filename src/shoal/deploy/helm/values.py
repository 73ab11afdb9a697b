"""What of the objects is a value of the chart: images, replicas, sizes, the host, the namespace. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.workloads import image_of
from shoal.deploy.yaml import Json, Noted

NAMESPACE = "{{ .Release.Namespace }}"
_NUMBER = re.compile(r'"@@number ([\w.]+)@@"')
_TEXT = re.compile(r"@@text ([\w.]+)@@")
_LEAST, _MOST = ("minReplicas", "minReplicaCount", "replicas"), ("maxReplicas", "maxReplicaCount")


def values(scope: Scope, environment: Environment) -> Json:
    """List the values, and what they are when nobody says anything: what the environment says."""
    services: Json = {}
    for service in scope.plan.services:
        size = scope.size(environment, service)
        services[key(service.name)] = {
            "tag": environment.version,
            "least": size.least,
            "most": size.most,
            "cpu": size.cpu,
            "memory": size.memory,
        }
    return {
        "registry": Noted(environment.registry, "Where images are; each is REGISTRY/SYSTEM/SERVICE:TAG."),
        "host": Noted(scope.hosts(environment)[0], "Name under which clients call."),
        "services": Noted(services, "Of each: the tag of its image, least and most replicas, what each is promised."),
    }


def key(service: str) -> str:
    """Spell a service as a key that templates can name: no hyphens."""
    return service.replace("-", "_")


def templated(scope: Scope, body: Json) -> Json:
    """Put marks in the place of values; `written` makes them expressions of a template."""
    images = {image_of(scope, service): key(service.name) for service in scope.plan.services}
    names = {service.name: key(service.name) for service in scope.plan.services}
    found: Json = _images(body, images)
    name = names.get(body["metadata"]["name"], "")
    if name and body["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
        found["spec"] = _bounded(found["spec"], name)
    if name and body["kind"] == "Deployment":
        (container,) = found["spec"]["template"]["spec"]["containers"]
        memory = _text(f"services.{name}.memory")
        size = {"requests": {"cpu": _text(f"services.{name}.cpu"), "memory": memory}, "limits": {"memory": memory}}
        container["resources"] = size
    return found


def written(scope: Scope, environment: Environment, text: str) -> str:
    """Make a template of a text: what is no expression of ours is printed as it is."""
    text = text.replace("{{", '{{ "{{" }}')
    text = _NUMBER.sub(r"{{ .Values.\1 }}", text)
    text = _TEXT.sub(r"{{ .Values.\1 }}", text)
    text = text.replace(f"/ns/{scope.system}/sa/", f"/ns/{NAMESPACE}/sa/")
    text = text.replace(f"nats.{scope.system}.svc", f"nats.{NAMESPACE}.svc")
    return text.replace(scope.hosts(environment)[0], "{{ .Values.host }}")


def _images(node: Any, images: Mapping[str, str]) -> Any:
    """Name every image by values."""
    if isinstance(node, dict):
        return {
            name: f"{_text('registry')}/{value}:{_text(f'services.{images[value]}.tag')}"
            if name == "image" and isinstance(value, str) and value in images
            else _images(value, images)
            for name, value in node.items()
        }
    return [_images(item, images) for item in node] if isinstance(node, list) else node


def _bounded(spec: Json, name: str) -> Json:
    found: Json = {}
    for field, value in spec.items():
        if field in _LEAST or field in _MOST:
            found[field] = f"@@number services.{name}.{'least' if field in _LEAST else 'most'}@@"
        else:
            found[field] = _bounded(value, name) if field == "fallback" else value
    return found


def _text(path: str) -> str:
    return f"@@text {path}@@"
