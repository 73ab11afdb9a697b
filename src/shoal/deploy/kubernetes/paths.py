"""Path templates as gateways and meshes match them, and which of two templates takes a request. Pure."""

from collections.abc import Iterable, Sequence

from shoal.deploy.yaml import Json
from shoal.mesh.routes import Operation
from shoal.model.service import closeness

ANY = "{*}"
"""One segment, in a path of an AuthorizationPolicy (Istio, "Match templates")."""


def template(path: str) -> str:
    """Write a path template as an AuthorizationPolicy does."""
    return "/".join(ANY if part.startswith("{") else part for part in path.split("/"))


def match(path: str) -> Json:
    """Write a path template as Gateway API matches it."""
    if "{" not in path:
        return {"type": "Exact", "value": path}
    return {"type": "RegularExpression", "value": expression(path)}


def expression(path: str) -> str:
    """Write a path template as an expression (RE2) of the whole path. Proxies have taken dot segments away before."""
    return "/".join("[^/]+" if part.startswith("{") else escaped(part) for part in path.split("/"))


def closer(operation: Operation, others: Iterable[Operation]) -> list[str]:
    """List the templates that take requests from this one: same method, and a literal where this has a parameter."""
    own = closeness(operation.path)
    found = {
        template(other.path)
        for other in others
        if other.method == operation.method and closeness(other.path) < own and overlap(operation.path, other.path)
    }
    return sorted(found)


def overlap(first: str, second: str) -> bool:
    """Tell whether one path may fit both templates."""
    ours, theirs = first.split("/"), second.split("/")
    return len(ours) == len(theirs) and all(
        one == other or one.startswith("{") or other.startswith("{") for one, other in zip(ours, theirs, strict=True)
    )


def doubtful(operations: Sequence[Operation]) -> list[tuple[str, str]]:
    """List pairs of templates of one method that some path fits, neither of them literal: who wins is not said."""
    found = []
    for position, first in enumerate(operations):
        for second in operations[position + 1 :]:
            both = "{" in first.path and "{" in second.path and template(first.path) != template(second.path)
            if first.method == second.method and both and overlap(first.path, second.path):
                found.append((first.path, second.path))
    return found


def milliseconds(seconds: float) -> str:
    """Write a duration as Gateway API does (GEP-2257); at least one millisecond."""
    whole, rest = divmod(max(1, round(seconds * 1000)), 1000)
    return f"{whole}s{rest}ms" if whole and rest else f"{whole}s" if whole else f"{rest}ms"


def escaped(part: str) -> str:
    """Write a text so that an expression takes it as it is."""
    return "".join(f"\\{character}" if character in ".+*?()[]{}|^$\\" else character for character in part)
