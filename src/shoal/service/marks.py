"""Marks that turn plain classes into events, records and contracts."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, Unpack, get_type_hints

import msgspec

from shoal.errors import DeclarationError
from shoal.model.edge import Edge
from shoal.model.fitting import fits, spelled
from shoal.model.names import check_event, check_label, event_id
from shoal.model.objectives import Objective
from shoal.model.service import Access, Method, Mode, Policy
from shoal.service.access import signed_in
from shoal.service.edge import EdgeOptions, build_edge, versioned
from shoal.service.personal import masking
from shoal.service.source import of_class, of_function

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])


class Options(EdgeOptions, total=False):
    """What every operation may say besides its method and path."""

    status: int
    """Status of a successful answer."""
    access: Access
    """Who may call it; a signed-in principal when nothing is said."""
    idempotent: bool
    """Honour ``Idempotency-Key``, which makes it safe to repeat."""
    timeout: float
    """Seconds until the work is cancelled; 5 when nothing is said."""
    attempts: int
    """Tries in all that a caller may make; 2 where repeating is safe."""
    critical: bool
    """It is the last to be refused under more load than the service can take."""
    objectives: Sequence[Objective]
    """What is promised of its answers: ``[Objective(availability=0.999), Objective(latency=0.3, target=0.99)]``."""
    audited: bool
    """Record who asked for it, and what became of it; where a role is demanded to change something when not said."""


class EventMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `event`, or `fact`, says about a class."""

    name: str
    version: int
    key: str
    sequence: str = ""
    mode: Mode = "structured"
    failure: bool = False
    source: str

    @property
    def id(self) -> str:
        """CloudEvents ``type``."""
        return event_id(self.name, self.version)


class RecordMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `record` says about a class."""

    table: str
    key: str
    unique: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    expires: str = ""
    projected: bool = False
    """Whether a projection keeps it, and builds it anew."""
    source: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract, or a service without one, says about one operation."""

    name: str
    method: Method
    path: str
    access: Access = signed_in
    policy: Policy = Policy()
    status: int = 200
    idempotent: bool = False
    critical: bool = False
    audited: bool | None = None
    """None leaves it to what is demanded of callers."""
    edge: Edge = Edge()
    objectives: tuple[Objective, ...] = ()
    service: str = ""
    """The contract's service; empty outside a contract."""
    source: str = ""


def event(
    name: str,
    *,
    version: int = 1,
    key: str = "",
    sequence: str = "",
    mode: Mode = "structured",
    failure: bool = False,
) -> Callable[[type[C]], type[C]]:
    """Declare a class as an event.

    Args:
        name: ``owner.happened``; the owner is the service that publishes it.
        version: Version of its shape, from 1.
        key: Field by whose value events keep their order.
        sequence: Field that numbers the events of a key from 1 without gaps, over all events of the owner that are
            keyed by the same field and numbered; projections then notice one that is repeated or missing.
        mode: Content mode of CloudEvents in which it travels; readers understand both.
        failure: It says that a step failed: the services that did earlier steps should undo them.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        check_event(name, where=place)
        if key and key not in field_names(cls):
            raise DeclarationError(
                f"event {name} is keyed by {key!r}, which {cls.__name__} does not have",
                hint=f"its fields are: {', '.join(field_names(cls))}",
                where=place,
            )
        _check_sequence(cls, name, key, sequence, place)
        marked = EventMark(
            name=name, version=version, key=key, sequence=sequence, mode=mode, failure=failure, source=place
        )
        cls.__shoal_event__ = marked  # type: ignore[attr-defined]
        masking(cls)
        return cls

    return mark


def _check_sequence(cls: type, name: str, key: str, sequence: str, place: str) -> None:
    if not sequence:
        return
    if sequence not in field_names(cls):
        raise DeclarationError(
            f"event {name} is numbered by {sequence!r}, which {cls.__name__} does not have",
            hint=f"its fields are: {', '.join(field_names(cls))}",
            where=place,
        )
    if not key:
        raise DeclarationError(
            f"event {name} is numbered by {sequence!r} but has no key", hint="add key=: each key counts", where=place
        )


def record(
    table: str,
    *,
    key: str,
    unique: Sequence[str] = (),
    indexes: Sequence[str | Sequence[str]] = (),
    expires: str = "",
) -> Callable[[type[C]], type[C]]:
    """Declare a class as what a table holds: one column per field, JSON columns for nested values.

    Args:
        table: Name of the table, which a migration creates where the store has migrations.
        key: Field that is its primary key.
        unique: Fields, besides the key, that no two records share unless they are None.
        indexes: Fields by which records are found, each a name or several in order; a store of documents makes them,
            and `Documents.find` asks for them. Elsewhere migrations do.
        expires: Field with a time from which on the record is not there any more; None means never. It is removed
            within two hours of it.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        ordered = tuple((index,) if isinstance(index, str) else tuple(index) for index in indexes)
        said = [("keyed", key), *(("unique", name) for name in unique)]
        said += [("indexed", name) for index in ordered for name in index]
        said += [("ended", expires)] if expires else []
        for what, name in said:
            if name not in field_names(cls):
                raise DeclarationError(
                    f"record {cls.__name__} is {what} by {name!r}, which it does not have",
                    hint=f"its fields are: {', '.join(field_names(cls))}",
                    where=place,
                )
        marked = RecordMark(table=table, key=key, unique=tuple(unique), indexes=ordered, expires=expires, source=place)
        cls.__shoal_record__ = marked  # type: ignore[attr-defined]
        masking(cls)
        return cls

    return mark


def contract(service: str) -> Callable[[type[C]], type[C]]:
    """Declare a Protocol as the contract of a service; whoever takes it as a parameter calls that service."""
    check_label("service", service)

    def mark(cls: type[C]) -> type[C]:
        operations = {}
        for name, member in vars(cls).items():
            operation = getattr(member, "__shoal_operation__", None)
            if operation is not None:
                bound = msgspec.structs.replace(operation, service=service)
                member.__shoal_operation__ = bound
                operations[name] = bound
        if not operations:
            raise DeclarationError(
                f"contract {cls.__name__} has no operations",
                hint='mark its methods: @get("/path")',
                where=of_class(cls),
            )
        cls.__shoal_contract__ = operations  # type: ignore[attr-defined]
        return cls

    return mark


def get(path: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """Declare a method of a contract as ``GET path``."""
    return _operation("GET", path, options)


def post(path: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """Declare a method of a contract as ``POST path``."""
    return _operation("POST", path, options)


def put(path: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """Declare a method of a contract as ``PUT path``."""
    return _operation("PUT", path, options)


def patch(path: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """Declare a method of a contract as ``PATCH path``."""
    return _operation("PATCH", path, options)


def delete(path: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """Declare a method of a contract as ``DELETE path``."""
    return _operation("DELETE", path, options)


def _operation(method: Method, path: str, options: Options) -> Callable[[F], F]:
    def mark(function: F) -> F:
        built = build_operation(function.__name__, method, path, of_function(function), options)
        function.__shoal_operation__ = built  # type: ignore[attr-defined]
        return function

    return mark


def build_operation(name: str, method: Method, path: str, source: str, options: Options) -> Operation:
    """Make an operation from a decorator's options, with the policy they imply."""
    check_options(f"{method} {path}", options, get_type_hints(Options), source)
    idempotent = options.get("idempotent", False)
    repeatable = method in ("GET", "PUT", "DELETE") or idempotent
    attempts = options.get("attempts", 2 if repeatable else 1)
    if attempts > 1 and not repeatable:
        raise DeclarationError(
            f"{method} {path} asks for {attempts} attempts but is not safe to repeat",
            hint="add idempotent=True, or leave attempts out",
            where=source,
        )
    if options.get("audited") and "cache" in options:
        raise DeclarationError(
            f"{method} {path} is recorded and keeps its answers, which are then given without it",
            hint="leave audited= or cache= out",
            where=source,
        )
    with placed(source):
        edge = build_edge(options, path)
    return Operation(
        name=name,
        method=method,
        path=versioned(path, options),
        source=source,
        access=options.get("access", signed_in),
        policy=build_policy(source, timeout=options.get("timeout", 5.0), attempts=attempts),
        status=options.get("status", 200),
        idempotent=idempotent,
        critical=options.get("critical", False),
        audited=options.get("audited"),
        edge=edge,
        objectives=tuple(options.get("objectives", ())),
    )


def check_options(what: str, given: Mapping[str, Any], known: Collection[str], source: str) -> None:
    """Refuse an option that nobody reads, and one of a wrong type: no type checker looked.

    Args:
        what: What has the options.
        given: Them.
        known: Their names, or a mapping from their names to their types.
        source: Where they were written.
    """
    if unknown := sorted(set(given) - set(known)):
        raise DeclarationError(
            f"{what} has an unknown option {unknown[0]!r}", hint=f"the options are: {', '.join(known)}", where=source
        )
    if isinstance(known, Mapping):
        check_kinds(what, given, known, source)


def check_kinds(what: str, given: Mapping[str, Any], kinds: Mapping[str, Any], source: str) -> None:
    """Refuse a value that is not of the type of its name."""
    for name, value in given.items():
        if not fits(value, kinds[name]):
            raise DeclarationError(
                f"{what} has {name}={value!r}, which is of a wrong type",
                hint=f"{name}= takes {spelled(kinds[name])}",
                where=source,
            )


@contextmanager
def placed(source: str) -> Iterator[None]:
    """Let a refusal that does not say where show where it was declared."""
    try:
        yield
    except DeclarationError as error:
        error.where = error.where or source
        raise


def build_policy(source: str, *, timeout: float, attempts: int, backoff: float = 0.2) -> Policy:
    """Make a policy; a refusal shows where it was declared."""
    with placed(source):
        return Policy(timeout=timeout, attempts=attempts, backoff=backoff)


def field_names(cls: type) -> tuple[str, ...]:
    """List the fields of a struct, dataclass or Pydantic model."""
    for attribute in ("__struct_fields__", "__dataclass_fields__", "model_fields"):
        fields = getattr(cls, attribute, None)
        if fields is not None:
            return tuple(fields)
    return tuple(getattr(cls, "__annotations__", ()))


def event_mark(cls: type, where: str = "") -> EventMark:
    """Return what `event` said about a class, or raise `DeclarationError`; `where` it was asked for."""
    found = getattr(cls, "__shoal_event__", None)
    if isinstance(found, EventMark):
        return found
    if not isinstance(cls, type):
        raise DeclarationError(f"{cls!r} is no class of an event", hint="name the class itself", where=where)
    raise DeclarationError(
        f"{cls.__name__} is not an event", hint='decorate it: @event("owner.happened")', where=of_class(cls)
    )


def fact_mark(cls: type) -> EventMark:
    """Return what `fact` said about a class, or raise `DeclarationError`."""
    found = getattr(cls, "__shoal_fact__", None)
    if isinstance(found, EventMark):
        return found
    raise DeclarationError(f"{cls.__name__} is not a fact", hint='decorate it: @fact("happened")', where=of_class(cls))


def version_mark(cls: type) -> EventMark:
    """Return what `event` or `fact` said about a class, or raise `DeclarationError`."""
    return fact_mark(cls) if hasattr(cls, "__shoal_fact__") else event_mark(cls)


def record_mark(cls: type) -> RecordMark:
    """Return what `record` said about a class, or raise `DeclarationError`."""
    found = getattr(cls, "__shoal_record__", None)
    if isinstance(found, RecordMark):
        return found
    raise DeclarationError(
        f"{cls.__name__} is not a record", hint='decorate it: @record("table", key="id")', where=of_class(cls)
    )


def project(cls: type) -> None:
    """Note that a projection keeps the records of a class."""
    cls.__shoal_record__ = msgspec.structs.replace(record_mark(cls), projected=True)  # type: ignore[attr-defined]


def operations_of(cls: Any) -> dict[str, Operation] | None:
    """Return the operations of a contract, or None for anything else."""
    found = getattr(cls, "__shoal_contract__", None)
    return found if isinstance(found, dict) and isinstance(cls, type) else None
