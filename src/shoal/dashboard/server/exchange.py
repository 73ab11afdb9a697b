"""What a route is, and what its answer can be."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from shoal.errors import Problem

A = TypeVar("A")
C = TypeVar("C")

LIMIT = 1000
"""Most items of one page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[C, A]):
    """One thing that can be asked for.

    Args:
        method: ``GET``, or ``POST`` for what changes something, which needs the header ``X-Shoal-Token``.
        path: Such as ``/api/traces/{id}``.
        asked: A struct with a field for each name in braces, and for each parameter of the query, or member of the
            JSON object that is posted. What is not among them is refused.
        answer: Called with the desk and what was asked; what it returns becomes JSON, unless it is a `Download` or a
            `Stream`. It may raise a `Problem`, or another error of Shoal.
        does: What it does to the running system, such as ``stop process``, as it is noted; nothing when it only tells.
        told: Members of `asked` that are noted with it: names of things, never what is put into them.
    """

    method: str
    path: str
    asked: type[A]
    answer: Callable[[C, A], Awaitable[object]]
    does: str = ""
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that the browser keeps."""

    name: str
    type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Server-sent events; each chunk is sent at once."""

    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it is sent."""

    status: int = 200
    type: str = "application/json"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    packed: bytes = b""
    """The body in gzip, where that is known already."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is asked: the pages say of everything which run they show."""

    run: int = 0
    """Number of the run; 0 for the newest."""


class Window(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is asked about a time."""

    since: float = 0.0
    """Unix milliseconds; 0 for the beginning."""
    until: float = 0.0
    """Unix milliseconds; 0 for the end."""


class Page(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is asked about a list, page by page."""

    cursor: str = ""
    """Where the page before ended: its `next`."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=LIMIT)] = 100
    """Most items."""


def read_query(asked: type[A], text: bytes, values: dict[str, str]) -> A:
    """Read the parameters of a path and a query.

    Raises:
        Problem: A parameter is unknown, missing, or not what it should be (400).
    """
    try:
        given = parse_qs(text.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise Problem(400, "malformed-query", str(error)) from error
    fields = {f.encode_name: f for f in msgspec.structs.fields(asked)}  # type: ignore[arg-type]  # all are structs
    plain: dict[str, Any] = {}
    for name, words in given.items():
        if name in fields and _many(fields[name].type):
            plain[name] = words
        elif len(words) > 1:
            raise Problem(400, "malformed-query", f"{name} is given {len(words)} times")
        elif words[0] or (name in fields and fields[name].type is str):
            plain[name] = words[0]  # an empty box of a form says nothing about a number
    return _converted(asked, plain | values, "malformed-query", strict=False)


def read_body(asked: type[A], body: bytes, values: dict[str, str]) -> A:
    """Read the parameters of a path and a JSON object.

    Raises:
        Problem: It is no JSON object (400), or not what it should be (422).
    """
    try:
        given = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Problem(400, "malformed-body", f"the body is no JSON object: {error}") from error
    return _converted(asked, given | values, "invalid-request", strict=True)


def _converted(asked: type[A], plain: dict[str, Any], code: str, *, strict: bool) -> A:
    try:
        return msgspec.convert(plain, asked, strict=strict)
    except msgspec.ValidationError as error:
        raise Problem(400 if code == "malformed-query" else 422, code, str(error)) from error


def _many(kind: object) -> bool:
    return getattr(kind, "__origin__", None) in (tuple, list)
