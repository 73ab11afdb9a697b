"""Whether two applications gave the same answer, and where they differ, without telling what is secret."""

import json
import re
from typing import Any

from shoal.model.data import Data

HEADERS = ("content-type", "location", "www-authenticate")
"""Headers that are part of an answer's meaning; of a media type, its parameters are not."""

SHOWN = 60
"""Characters of a value that an example shows."""

MASK = "***"

_SECRET_KEY = re.compile(
    r"pass|secret|token|key|auth|cookie|session|card|cvc|cvv|iban|credential|signature", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JSON web token
    r"|(?i:bearer|basic)\s+\S+"
    r"|\b(?:\d[ -]?){13,19}\b"  # a card's number
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # somebody's address
    r"|\b[A-Za-z0-9+/_-]{32,}\b"
)


class Reply(Data, frozen=True, kw_only=True):
    """What an application answered."""

    status: int
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes


class Difference(Data, frozen=True, kw_only=True):
    """One place where two answers differ."""

    place: str
    """``status``, a header, or a JSON pointer into the body."""
    legacy: str
    """Masked."""
    new: str
    """Masked."""


def compare(legacy: Reply, new: Reply, ignore: tuple[str, ...] = ()) -> tuple[Difference, ...]:
    """List where two answers differ: status, the headers that matter, and the body, as JSON where both are."""
    found = [_difference("status", legacy.status, new.status)] if legacy.status != new.status else []
    for name in HEADERS:
        one, other = _header(legacy, name), _header(new, name)
        if one != other:
            found.append(_difference(name, one, other))
    return (*found, *_bodies(legacy, new, ignore))


def masked(text: str, key: str = "") -> str:
    """Shorten a value, and hide it where its name or its form is that of a secret."""
    if _SECRET_KEY.search(key):
        return MASK
    return _shortened(_SECRET_VALUE.sub(MASK, text))


def masked_target(target: str) -> str:
    """Show the target of a request without the values of its query."""
    path, mark, query = target.partition("?")
    names = [f"{pair.partition('=')[0]}={MASK}" for pair in query.split("&") if pair]
    return masked(path) + mark + "&".join(names)


def _bodies(legacy: Reply, new: Reply, ignore: tuple[str, ...]) -> list[Difference]:
    one, other = _document(legacy), _document(new)
    if one is None or other is None:
        same = legacy.body == new.body
        return [] if same else [_difference("body", f"{len(legacy.body)} bytes", f"{len(new.body)} bytes")]
    return [found for found in _walk("", one[0], other[0]) if not any(_covers(p, found.place) for p in ignore)]


def _walk(place: str, one: Any, other: Any) -> list[Difference]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        pairs = [(key, one.get(key, _ABSENT), other.get(key, _ABSENT)) for key in keys]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(str(n), left, right) for n, (left, right) in enumerate(zip(one, other, strict=True))]
    else:
        same = one == other and type(one) is type(other)
        return [] if same else [_difference(place or "body", one, other)]
    return [found for key, left, right in pairs for found in _walk(f"{place}/{_escaped(key)}", left, right)]


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


def _difference(place: str, one: object, other: object) -> Difference:
    key = place.rpartition("/")[2]
    return Difference(place=masked(place), legacy=_shown(one, key), new=_shown(other, key))


def _shown(value: object, key: str) -> str:
    if value is _ABSENT or value is None:
        return "absent" if value is _ABSENT else "null"
    if isinstance(value, dict | list):
        return f"{'object' if isinstance(value, dict) else 'list'} of {len(value)}"
    return masked(value if isinstance(value, str) else json.dumps(value), key)


def _document(reply: Reply) -> tuple[Any] | None:
    if "json" not in _header(reply, "content-type"):
        return None
    try:
        return (json.loads(reply.body),)
    except (ValueError, RecursionError):
        return None


def _header(reply: Reply, name: str) -> str:
    value = reply.headers.get(name, "")
    return value.partition(";")[0].strip().lower() if name == "content-type" else value


def _covers(pointer: str, place: str) -> bool:
    """Say whether a pointer leads to a place, or above it."""
    steps, parts = pointer.split("/")[1:], place.split("/")[1:]
    return len(steps) <= len(parts) and all(s in ("*", p) for s, p in zip(steps, parts, strict=False))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
