"""Names and labels by one law, so that whoever selects and whoever is selected cannot disagree. Pure."""

from typing import Literal

from shoal.deploy.yaml import Json
from shoal.model.names import shorten

Component = Literal["service", "edge", "engine", "mesh", "job", "system"]

PORT = 8080
"""Where every service listens in its pod; above 1023, which needs no right."""

HTTP = "http"
"""Name of that port."""

USER = 10001
"""User and group of every container of ours; above 10000, so that it is nobody on the node."""

APPLICATION = "app.kubernetes.io/name"
SYSTEM = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"


VERSION = "shoal.dev/version"
"""Label of pods that tells versions of one service apart."""


def selector(system: str, name: str, component: Component = "service") -> Json:
    """Select the pods of one thing. A Deployment can never change this, so it holds what never changes."""
    return {APPLICATION: name, SYSTEM: system, COMPONENT: component}


def labels(system: str, name: str, component: Component = "service") -> Json:
    """Label an object, by the names that Kubernetes recommends."""
    return {**selector(system, name, component), "app.kubernetes.io/managed-by": "shoal"}


def meta(system: str, name: str, component: Component = "service", *, owner: str = "", **more: object) -> Json:
    """Begin an object: its name, and the labels of what it belongs to."""
    return {"name": name, "labels": labels(system, owner or name, component), **more}


def joined(*parts: str) -> str:
    """Join names to one that a label can hold."""
    return shorten("-".join(parts))


def secret(prefix: str, *parts: str) -> str:
    """Name a secret where it is kept; letters, digits and hyphens, which every store takes."""
    return "-".join((prefix, *parts)).replace("_", "-").lower()
