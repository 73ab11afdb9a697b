"""Paths that are others inside: what a route of Gateway API can make of them. Pure."""

from collections.abc import Sequence

import msgspec

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.yaml import Json
from shoal.model.plan import Route
from shoal.model.versioning import UNKNOWN


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are matched that a route takes, and what becomes of their path."""

    match: Json
    """Match of the path."""
    rewrite: Json | None = None
    """``urlRewrite`` of a filter; None leaves the path as it is."""

    @property
    def alone(self) -> bool:
        """Whether its rule may have no other match: what is replaced is what the one match fits."""
        return self.rewrite is not None and self.rewrite["path"]["type"] == "ReplacePrefixMatch"


def served(scope: Scope) -> list[Route]:
    """List the routes that the gateway can lead to their services, also those of paths without a version."""
    return [route for route in asked(scope) if way(scope, route) is not None]


def asked(scope: Scope) -> list[Route]:
    """List the routes that clients may ask for."""
    named = [route for route in scope.plan.aliases if route.wanted is None or route.wanted.value != UNKNOWN]
    return [*scope.plan.routes, *named]


def way(scope: Scope, route: Route) -> Way | None:
    """Find how a route leads to its service; None where Gateway API cannot say it.

    A whole path is replaced by a whole path, and the beginning of a template by another beginning. A beginning fits
    more than the template does, so a policy must refuse the rest, which only Istio has at the gateway; and it comes
    before every expression, so no other template may begin alike.
    """
    if route.path == route.inside:
        return Way(match=paths.match(route.path))
    if "{" not in route.path:
        full = {"path": {"type": "ReplaceFullPath", "replaceFullPath": route.inside}}
        return Way(match=paths.match(route.path), rewrite=full)
    found = heads(route)
    if found is None or not scope.istio or _disputed(route, found[0], asked(scope)):
        return None
    prefix = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": found[1]}}
    return Way(match={"type": "PathPrefix", "value": found[0]}, rewrite=prefix)


def heads(route: Route) -> tuple[str, str] | None:
    """Part a template where its parameters begin: the literal beginnings outside and inside, if only they differ."""
    outside, inside = route.path.split("/"), route.inside.split("/")
    length = next((at for at, part in enumerate(outside) if part.startswith("{")), 0)
    tail = outside[length:]
    head = inside[: -len(tail)]
    if length < 2 or inside[-len(tail) :] != tail or any(part.startswith("{") for part in head) or len(head) < 2:
        return None
    return "/".join(outside[:length]), "/".join(head)


def _disputed(route: Route, head: str, others: Sequence[Route]) -> bool:
    """Tell whether another template may fit what begins so."""
    depth = head.count("/") + 1
    return any(
        other.method == route.method
        and "{" in other.path
        and paths.template(other.path) != paths.template(route.path)
        and paths.overlap("/".join(other.path.split("/")[:depth]), head)
        for other in others
    )
