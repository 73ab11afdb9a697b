"""Path templates as Envoy's matches: a ``{parameter}`` is one segment, never more, never ``.`` or ``..``."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from shoal.errors import DeclarationError
from shoal.mesh.proto import Json, seconds
from shoal.model.plan import Route
from shoal.model.service import Policy, closeness, path_parameters, shape

SEGMENT = r"(?:[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+)"
"""One non-empty segment that is no dot segment (RFC 3986, 3.3), without the look-ahead that RE2 lacks."""

_WEIGHTS = 10_000
"""Parts into which requests are divided between clusters."""

_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*")


class Operation(Protocol):
    """What has a method and a path template."""

    @property
    def method(self) -> str:
        """HTTP method."""
        ...

    @property
    def path(self) -> str:
        """Path template."""
        ...


O = TypeVar("O", bound=Operation)  # noqa: E741 — an operation


def in_order(operations: Iterable[O]) -> list[O]:
    """Sort so that the first match is the closest: segment by segment, literal before parameter."""
    return sorted(operations, key=lambda o: (closeness(o.path), o.method))


def expression(path: str) -> str:
    """Write a path template as a regular expression (RE2) for the whole path."""
    return "/".join(SEGMENT if _is_parameter(part) else _literal(part) for part in path.split("/"))


def capture(path: str, parameter: str) -> str:
    """Write a path template as an expression whose one group is `parameter`, for a path with its query."""
    parts = ("([^/?]+)" if part == f"{{{parameter}}}" else expression(part) for part in path.split("/"))
    return "/".join(parts) + r"(?:\?.*)?"


def captures(path: str) -> str:
    """Write a path template as an expression with one group for each parameter, in their order."""
    return "/".join(f"({SEGMENT})" if _is_parameter(part) else _literal(part) for part in path.split("/"))


def _is_parameter(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")


def _literal(part: str) -> str:
    """Spell out a literal, also as it may arrive percent-encoded.

    Applications decode a path before they route it: had a template taken the encoded form here, it would
    lead past the literal's own policy. Of letters, digits and ``-._~`` Envoy itself decodes the encoded form.
    """
    return "".join(c if _PLAIN.fullmatch(c) else _either(c) for c in part).replace(".", r"\.")


def _either(character: str) -> str:
    encoded = "".join(f"%{octet:02X}" for octet in character.encode())
    return f"(?:{re.escape(character)}|(?i:{encoded}))"


def outside(route: Route, inside: str) -> str | None:
    """Find by which path clients would reach the path `inside` through a route; None when it does not lead there."""
    found = re.fullmatch(captures(route.inside), inside)
    if found is None:
        return None
    values = dict(zip(path_parameters(route.inside), found.groups(), strict=True))
    return "/".join(values[part[1:-1]] if _is_parameter(part) else part for part in route.path.split("/"))


def matches_path(path: str) -> Json:
    """Match a path template, whatever the method; the query is not looked at."""
    if _PLAIN.fullmatch(path):
        return {"path": path}
    return {"safe_regex": {"regex": expression(path)}}


def matches(operation: Operation) -> Json:
    """Match one operation: its method and its path template."""
    method = {"name": ":method", "string_match": {"exact": operation.method}}
    return matches_path(operation.path) | {"headers": [method]}


def forward(cluster: str, policy: Policy, **settings: object) -> Json:
    """Send on to `cluster` within the policy's time, the answer's body included."""
    return {"cluster": cluster, "timeout": seconds(policy.timeout), **settings}


def weighted(shares: Mapping[str, float], policy: Policy, **settings: object) -> Json:
    """Send on to several clusters, each by its share; shares are relative, and need not add up to anything.

    Raises:
        DeclarationError: A share is negative, or all of them are 0.
    """
    if min(shares.values(), default=0.0) < 0 or not sum(shares.values()):
        raise DeclarationError(f"shares {dict(shares)!r} divide nothing", hint="give at least one of them more than 0")
    whole = sum(shares.values())
    clusters = [
        {"name": name, "weight": max(round(part / whole * _WEIGHTS), int(part > 0))} for name, part in shares.items()
    ]
    return {"weighted_clusters": {"clusters": clusters}, "timeout": seconds(policy.timeout), **settings}


def mirror(cluster: str, percent: float = 100.0) -> Json:
    """Send a copy of so many requests to `cluster` too; its answers are thrown away, and nobody waits for them.

    The result is a setting of a route's action: ``forward(...) | mirror(...)``.
    """
    return {"request_mirror_policies": [{"cluster": cluster, "runtime_fraction": {"default_value": share(percent)}}]}


def share(percent: float) -> Json:
    """Write percent as Envoy's fraction, to a ten-thousandth of a percent."""
    return {"numerator": round(percent * 10_000), "denominator": "MILLION"}


def with_header(match: Json, name: str, value: str) -> Json:
    """Narrow a match to requests with this header; routes so narrowed belong before those that are not."""
    header = {"name": name, "string_match": {"exact": value}}
    return match | {"headers": [*match.get("headers", []), header]}


def refuse(name: str, match: Json, status: int) -> Json:
    """Answer by a status; its body comes from the listener's problems."""
    return {"name": name, "match": match, "direct_response": {"status": status}}


def wrong_methods(operations: Iterable[Operation]) -> list[Json]:
    """Answer 405 with ``Allow`` (RFC 9110, 15.5.6) to the methods that known paths do not have.

    They belong after every other route: a template may serve what a literal path does not.
    """
    methods: dict[str, list[Operation]] = {}
    for operation in operations:
        methods.setdefault(shape(operation.path), []).append(operation)
    return [_wrong_method(same) for same in methods.values()]


def _wrong_method(same: list[Operation]) -> Json:
    allowed = ", ".join(sorted({operation.method for operation in same}))
    route = refuse(f"405 {shape(same[0].path)}", matches_path(same[0].path), 405)
    return route | {"response_headers_to_add": [{"header": {"key": "allow", "value": allowed}}]}
