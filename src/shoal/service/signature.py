"""Read a handler's signature once: which parameter comes from where."""

import datetime as dt
import enum
import inspect
import types
import typing
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.service import path_parameters
from shoal.service.cache import NEEDING
from shoal.service.context import Clock, Deadline, Principal, ReadReplica, TokenIssuer, Transaction
from shoal.service.declare import Service
from shoal.service.http import Header, PageRequest, Reply
from shoal.service.marks import operations_of
from shoal.service.objects import Objects
from shoal.service.reach import is_documents, is_objects, is_settings, within_transaction
from shoal.service.search import searchable
from shoal.service.sockets import Socket, Transact
from shoal.service.source import of_function
from shoal.service.streams import Update, Watch
from shoal.service.tracing import Trace
from shoal.service.warehouse import Reports, Warehouse

Place = Literal["path", "query", "header", "body", "event", "socket", "injected"]

FRAMEWORK: tuple[type, ...] = (
    *(Transaction, ReadReplica, Principal, Deadline, Clock, PageRequest, TokenIssuer, Trace, Watch, Transact),
    *NEEDING,
)
"""Types that the framework itself injects."""

_SCALARS = (str, int, float, bool, Decimal, uuid.UUID, dt.datetime, dt.date)
_MISSING = inspect.Parameter.empty


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a handler."""

    name: str
    place: Place
    kind: Any
    """Its type, without `Annotated` and without ``None``."""
    wire: str = ""
    """Name outside: of the header, query or path parameter."""
    required: bool = True
    default: Any = None


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """All parameters of a handler, and what it answers."""

    params: tuple[Param, ...]
    returns: Any
    """Type of the answer's body; None for an empty one."""
    source: str

    def at(self, place: Place) -> tuple[Param, ...]:
        """List the parameters that come from `place`."""
        return tuple(p for p in self.params if p.place == place)


def analyse(
    service: Service,
    handler: Callable[..., Any],
    *,
    path: str = "",
    body: bool = False,
    event: Any = None,
    stream: bool = False,
) -> Signature:
    """Classify the parameters of `handler`, or raise `DeclarationError` that shows the one that fits nowhere.

    Args:
        service: Whose providers and settings may be injected.
        handler: The author's coroutine function.
        path: Path template of an endpoint.
        body: Whether the endpoint's method carries a body.
        event: Class of the event, for a handler of events; a list of that class for one that takes many.
        stream: Whether it may be an asynchronous generator.
    """
    source = of_function(handler)
    _check_asynchronous(handler, source, stream=stream)
    hints = _hints(handler, source)
    offered, in_path = injectables(service), path_parameters(path)
    params = [
        _classify(parameter, hints[parameter.name], in_path, offered, event, body=body)
        for parameter in _parameters(handler, hints, source)
    ]
    if path:
        _check_answer(handler, hints, source)
    found = Signature(params=tuple(params), returns=_returned(hints.get("return")), source=source)
    if event is not None and not found.at("event"):
        raise DeclarationError(
            f"{_name(handler)} handles {_event(event)} but has no parameter of that type",
            hint=f"write: async def {_name(handler)}({_written(event)}, ...)",
            where=source,
        )
    _refuse_odd(service, handler, found)
    if not path:
        _refuse_request(handler, found)
    return found


def _check_asynchronous(handler: Callable[..., Any], source: str, *, stream: bool) -> None:
    if not (inspect.isasyncgenfunction(handler) if stream else inspect.iscoroutinefunction(handler)):
        raise DeclarationError(f"handler {_name(handler)} is not asynchronous", hint="write `async def`", where=source)


def _parameters(function: Callable[..., Any], hints: dict[str, Any], source: str) -> list[inspect.Parameter]:
    """List the parameters; each must have a type and be given by name."""
    found = list(inspect.signature(function).parameters.values())
    for parameter in found:
        if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
            raise DeclarationError(
                f"parameter {parameter.name!r} of {_name(function)} cannot be given by name",
                hint="write plain parameters: no *args, no **kwargs, nothing before '/'",
                where=source,
            )
        if parameter.name not in hints:
            raise DeclarationError(
                f"parameter {parameter.name!r} of {_name(function)} has no type", hint="annotate it", where=source
            )
    return found


def _check_answer(handler: Callable[..., Any], hints: dict[str, Any], source: str) -> None:
    if "return" not in hints or hints["return"] is Reply:
        raise DeclarationError(
            f"{_name(handler)} does not say what it answers",
            hint="annotate it: `-> None` for an empty answer, `-> Reply[T]` for one with headers of its own",
            where=source,
        )


def _refuse_request(handler: Callable[..., Any], found: Signature) -> None:
    """Refuse, outside of HTTP, what only a request has."""
    for param in found.params:
        if param.place in ("query", "header", "socket") or param.kind in (Principal, PageRequest):
            raise DeclarationError(
                f"{_name(handler)} asks for {param.name!r}, which exists only within an HTTP request",
                hint="take it from the event or from the settings",
                where=found.source,
            )


def analyse_provider(service: Service, provider: Callable[..., Any]) -> Signature:
    """Read what a provider needs: only what can be injected outside a request."""
    source = of_function(provider)
    hints = _hints(provider, source)
    params = tuple(
        Param(name=p.name, place="injected", kind=_unwrap_none(hints[p.name])[1])
        for p in _parameters(provider, hints, source)
    )
    found = Signature(params=params, returns=None, source=source)
    _refuse_odd(service, provider, found)
    for param in params:
        if param.kind in (Principal, Deadline, PageRequest) or within_transaction(param.kind):
            raise DeclarationError(
                f"provider {_name(provider)} asks for {_spell(param.kind)}, which exists only within a request",
                hint="take it in the handler instead",
                where=source,
            )
    return found


def outline(handler: Callable[..., Any]) -> Signature:
    """Read what a handler takes, wherever that comes from."""
    source = of_function(handler)
    hints = _hints(handler, source)
    names = [name for name in inspect.signature(handler).parameters if name in hints]
    params = tuple(Param(name=name, place="injected", kind=_unwrap_none(hints[name])[1]) for name in names)
    return Signature(params=params, returns=None, source=source)


def injectables(service: Service) -> set[Any]:
    """Collect every type that this service's handlers may ask for."""
    offered: set[Any] = set(FRAMEWORK) | {provided_kind(p) for p in service.providers}
    offered |= {Warehouse, Reports} if service.warehouse is not None else set()
    kinds = service.objects.kinds if service.objects is not None else ()
    offered |= {Objects[kind] for kind in kinds}  # type: ignore[valid-type]
    return offered | searchable(service.search) | ({service.settings} if service.settings else set())


def provided_kind(provider: Callable[..., Any]) -> Any:
    """Read which type a provider offers from its return annotation."""
    returned = _hints(provider, of_function(provider)).get("return")
    if returned is None:
        raise DeclarationError(
            f"provider {_name(provider)} does not say what it returns",
            hint="annotate it",
            where=of_function(provider),
        )
    if typing.get_origin(returned) in (AsyncIterator, AsyncGenerator, Awaitable, Iterator, Generator):
        return typing.get_args(returned)[0]
    return returned


def _classify(
    parameter: inspect.Parameter,
    annotation: Any,
    in_path: tuple[str, ...],
    offered: set[Any],
    event: Any,
    *,
    body: bool,
) -> Param:
    kind, header = _strip(annotation)
    optional, kind = _unwrap_none(kind)
    required = parameter.default is _MISSING and not optional
    default = None if parameter.default is _MISSING else parameter.default
    place: Place
    wire = parameter.name
    if parameter.name in in_path:
        place = "path"
    elif header is not None:
        place, wire = "header", header.name
    elif kind in offered or operations_of(kind) is not None or is_settings(kind) or _kept(kind):
        place = "injected"
    elif typing.get_origin(kind) is Socket:
        place = "socket"
    elif event is not None and _hears(kind, event):
        place = "event"
    elif is_scalar(base_kind(kind)) and event is None:
        place = "query"
    else:
        place = "body" if body else "injected"
    return Param(name=parameter.name, place=place, kind=kind, wire=wire, required=required, default=default)


def _hears(kind: Any, event: Any) -> bool:
    """Tell whether a parameter takes the event; many of them come as a list or as any other sequence."""
    if typing.get_origin(event) is None:
        return kind is event
    return typing.get_origin(kind) in (list, Sequence) and typing.get_args(kind) == typing.get_args(event)


def _event(event: Any) -> str:
    (item,) = typing.get_args(event) or (event,)
    return f"many {item.__name__} at a time" if item is not event else str(item.__name__)


def _written(event: Any) -> str:
    (item,) = typing.get_args(event) or (event,)
    return f"events: Sequence[{item.__name__}]" if item is not event else f"event: {item.__name__}"


def _refuse_odd(service: Service, handler: Callable[..., Any], found: Signature) -> None:
    bodies = found.at("body")
    if len(bodies) > 1:
        names = " and ".join(p.name for p in bodies)
        raise DeclarationError(
            f"{_name(handler)} has more than one body: {names}",
            hint=f"keep one; offer the others with @{service.name}.provide if they are meant to be injected",
            where=found.source,
        )
    for param in found.params:
        if param.place in ("path", "header") and not _fits_text(base_kind(param.kind)):
            raise DeclarationError(
                f"{param.name!r} of {_name(handler)} cannot come from a {param.place}: {_spell(param.kind)}",
                hint="use a text, a number, a boolean, a date, a UUID, a Literal or an Enum",
                where=found.source,
            )
    offered = injectables(service)
    for param in found.at("injected"):
        if is_documents(param.kind):
            _require_documents(service, handler, param, found.source)
        elif is_objects(param.kind) and param.kind not in offered:
            raise _without_objects(service, handler, param, found.source)
        elif param.kind not in offered and operations_of(param.kind) is None:
            raise DeclarationError(
                f"nothing provides {param.name!r} of {_name(handler)}: {_spell(param.kind)}",
                hint=f"offer it with @{service.name}.provide, pass it as settings=, or make it a scalar for the query",
                where=found.source,
            )


def _require_documents(service: Service, handler: Callable[..., Any], param: Param, source: str) -> None:
    (kind,) = typing.get_args(param.kind)
    if getattr(kind, "__shoal_record__", None) is None:
        raise DeclarationError(
            f"{param.name!r} of {_name(handler)} takes documents of {_spell(kind)}, which is no record",
            hint='decorate the class: @record("name", key="id")',
            where=source,
        )
    if service.store is None or "documents" not in service.store.needs:
        raise DeclarationError(
            f"{param.name!r} of {_name(handler)} takes documents, but the store of {service.name} keeps none",
            hint=f'declare Service("{service.name}", store=MongoDB()), or take a Transaction',
            where=source,
        )


def _kept(kind: Any) -> bool:
    """Tell whether a parameter takes what a service keeps."""
    return is_documents(kind) or is_objects(kind)


def _without_objects(service: Service, handler: Callable[..., Any], param: Param, source: str) -> DeclarationError:
    kind = _spell(typing.get_args(param.kind)[0])
    return DeclarationError(
        f"{param.name!r} of {_name(handler)} takes objects of {kind}, which {service.name} does not keep",
        hint=f'declare Service("{service.name}", store=..., objects=S3(kinds=[{kind}]))',
        where=source,
    )


def _returned(annotation: Any) -> Any:
    """Unwrap ``Reply[T]``, since its status and headers are not part of the body."""
    if annotation is None or annotation is type(None):
        return None
    if typing.get_origin(annotation) in (AsyncIterator, AsyncGenerator):
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (Reply, Update):
        inner = typing.get_args(annotation)[0]
        return None if inner is type(None) else inner
    return annotation


def is_list(kind: Any) -> bool:
    """Tell whether a query names a parameter of this type as often as it has items."""
    return typing.get_origin(base_kind(kind)) in (list, tuple)


def is_scalar(kind: Any) -> bool:
    """Tell whether a value of this type fits in a path, a query or a header."""
    if typing.get_origin(kind) is Literal:
        return True
    if typing.get_origin(kind) in (list, tuple):
        return all(is_scalar(item) for item in typing.get_args(kind) if item is not Ellipsis)
    return isinstance(kind, type) and (issubclass(kind, (enum.Enum, *_SCALARS)))


def _fits_text(kind: Any) -> bool:
    """Tell whether one text holds a value of this type."""
    return is_scalar(kind) and not is_list(kind)


def plain_kind(annotation: Any) -> tuple[Any, str]:
    """Return a parameter's type as `Param.kind` has it, and its header's name; empty when it is no header."""
    kind, header = _strip(annotation)
    return _unwrap_none(kind)[1], header.name if header else ""


def _strip(annotation: Any) -> tuple[Any, Header | None]:
    """Take a header's mark off; every other annotation stays, since it may hold constraints."""
    if typing.get_origin(annotation) is typing.Annotated:
        marks = typing.get_args(annotation)[1:]
        header = next((m for m in marks if isinstance(m, Header)), None)
        return (typing.get_args(annotation)[0], header) if header else (annotation, None)
    return annotation, None


def _unwrap_none(kind: Any) -> tuple[bool, Any]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(kind) if a is not type(None)]
        if len(rest) == 1:
            return True, rest[0]
    return False, kind


def base_kind(kind: Any) -> Any:
    """Return the bare type below `Annotated` and `NewType`."""
    while True:
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        else:
            return kind


def _hints(function: Callable[..., Any], source: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise DeclarationError(
            f"an annotation of {_name(function)} cannot be resolved: {error}",
            hint="import the type at run time, not only under TYPE_CHECKING",
            where=source,
        ) from error


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


def _spell(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))
