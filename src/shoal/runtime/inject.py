"""Compile a signature to a plan of resolvers: nothing is inspected while requests are served."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, cast
from urllib.parse import quote

from shoal.errors import DeclarationError, Problem
from shoal.runtime.documents import documents_within
from shoal.runtime.objects.shelf import Shelf
from shoal.runtime.request import Request
from shoal.runtime.transaction import UnitOfWork
from shoal.runtime.warehouse.staging import Stager
from shoal.service import codec
from shoal.service.context import Clock, Deadline, Principal, TokenIssuer, Transaction
from shoal.service.http import MAX_LIMIT, PageRequest
from shoal.service.reach import is_documents, leaves_no_trace, waits_outside, within_transaction
from shoal.service.signature import (
    Param,
    Signature,
    base_kind,
    is_list,
)

Resolver = Callable[[Request], Any]
Values = Mapping[Any, Any]
"""What does not change between requests, by type: settings, clients, provided values."""


_MISSING = object()


class Plan:
    """How to call one handler."""

    __slots__ = ("_resolvers", "needs_body", "needs_principal", "needs_transaction", "only_store", "only_transaction")

    def __init__(self, signature: Signature, path: tuple[str, ...], values: Values) -> None:
        self._resolvers = tuple((p.name, _resolver(p, path, values)) for p in signature.params)
        kinds = {p.kind for p in signature.at("injected")}
        self.needs_transaction = any(within_transaction(kind) for kind in kinds)
        self.needs_principal = Principal in kinds
        self.needs_body = bool(signature.at("body"))
        self.only_transaction = all(map(leaves_no_trace, kinds))
        """Whether every effect of the handler lies within its transaction, as far as its parameters tell."""
        self.only_store = all(leaves_no_trace(kind) and not waits_outside(kind) for kind in kinds)
        """Whether besides it waits for nothing but its store, so that others may share its transaction."""

    def arguments(self, request: Request) -> dict[str, Any]:
        """Resolve the arguments; raises `codec.Malformed` or `Problem` for what the caller got wrong."""
        arguments = {}
        for name, resolve in self._resolvers:  # a comprehension would be a call of its own
            arguments[name] = resolve(request)
        return arguments


def _resolver(param: Param, path: tuple[str, ...], values: Values) -> Resolver:
    if param.place == "path":
        return _path(param, path.index(param.name))
    if param.place == "query":
        return _query(param)
    if param.place == "header":
        return _header(param)
    if param.place == "body" and param.default is not None:
        return lambda request: param.default if request.body is None else request.body
    if param.place in ("body", "event", "socket"):
        return attrgetter("body")
    return _injected(param, values)


def _path(param: Param, index: int) -> Resolver:
    if base_kind(param.kind) is param.kind is str:
        return lambda request: request.path_values[index]
    if param.kind is int:
        return _integer(param, index)
    return lambda request: _convert(request.path_values[index], param)


def _query(param: Param) -> Resolver:
    name, default = param.wire, param.default
    many = is_list(param.kind)

    def resolve(request: Request) -> Any:
        found = request.query().get(name) if request.scope["query_string"] else None
        if found is None:
            if many and param.required:  # a query cannot spell an empty list but by leaving it out
                return _convert([], param)
            if param.required:
                raise codec.Malformed(f"query parameter {name!r} is missing")
            return default
        return _convert(found if many else found[-1], param)

    return resolve


def _header(param: Param) -> Resolver:
    name = param.wire.lower().encode()

    def resolve(request: Request) -> Any:
        found = request.headers.get(name)
        if found is None:
            if param.required:
                raise codec.Malformed(f"header {param.wire!r} is missing")
            return param.default
        return _convert(found.decode("latin-1"), param)

    return resolve


def _integer(param: Param, index: int) -> Resolver:
    """Read what is plainly a number without the general converter, which takes three times as long."""

    def resolve(request: Request) -> Any:
        text = request.path_values[index]
        if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 19:
            return int(text)
        return _convert(text, param)

    return resolve


def _convert(value: object, param: Param) -> Any:
    try:
        return codec.from_plain(value, param.kind, strict=False)
    except codec.Malformed as error:
        raise codec.Malformed(f"{param.place} parameter {param.wire!r}: {error}") from error


def _injected(param: Param, values: Values) -> Resolver:
    if is_documents(param.kind):
        clock = values[Clock]
        return lambda request: documents_within(param.kind, clock, cast("UnitOfWork", request.transaction))
    if param.kind in _FROM_REQUEST:
        return _principal(param) if param.kind is Principal else _FROM_REQUEST[param.kind]
    value = values.get(param.kind, _MISSING)
    if value is _MISSING:
        needed = getattr(param.kind, "__name__", param.kind)
        hint = (
            "name this service as the system's issuer"
            if param.kind is TokenIssuer
            else "offer it with @service.provide"
        )
        raise DeclarationError(
            f"parameter {param.name!r} asks for {needed}, which this service does not have", hint=hint
        )
    if isinstance(value, Stager | Shelf):
        return lambda request: value.within(cast("UnitOfWork", request.transaction))
    return lambda _request: value


def _principal(param: Param) -> Resolver:
    if not param.required:
        return lambda request: request.principal

    def resolve(request: Request) -> Principal:
        if request.principal is None:
            raise Problem(401, "unauthenticated", "this needs a token", headers={"WWW-Authenticate": "Bearer"})
        return request.principal

    return resolve


def _page(request: Request) -> PageRequest:
    asked = request.query() if request.scope["query_string"] else {}
    page, limit = _whole(asked, "page", 1, 1_000_000), _whole(asked, "limit", 20, MAX_LIMIT)
    rest = tuple((k, v) for k, vs in asked.items() if k not in ("page", "limit") for v in vs)
    path = (request.scope.get("raw_path") or quote(request.path).encode()).decode("ascii")
    return PageRequest(page=page, limit=limit, path=path, query=rest)


def _whole(asked: dict[str, list[str]], name: str, default: int, most: int) -> int:
    text = asked.get(name, [""])[-1]
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise codec.Malformed(f"query parameter {name!r} must be a whole number from 1 to {most}")
    return int(text)


_FROM_REQUEST: dict[Any, Resolver] = {
    Transaction: attrgetter("transaction"),
    Principal: attrgetter("principal"),
    Deadline: attrgetter("context.budget"),
    PageRequest: _page,
}
