"""From what authors declared to the pure model."""

import typing
from collections.abc import Sequence
from typing import Any

import msgspec

from shoal import model
from shoal.errors import DeclarationError
from shoal.model.names import identity, variable
from shoal.model.service import (
    Access,
    Call,
    Endpoint,
    Event,
    Parameter,
    Policy,
    Schema,
    Setting,
    Subscription,
)
from shoal.service import codec
from shoal.service.audited import is_audited
from shoal.service.breaking import check_fallbacks
from shoal.service.cache import NEEDING
from shoal.service.caching import check_caches, with_endings
from shoal.service.context import Principal
from shoal.service.conversing import check_socket, messages
from shoal.service.declare import EndpointDeclaration, Service, SubscriptionDeclaration
from shoal.service.describe_contracts import check_contracts
from shoal.service.describe_sagas import describe_saga
from shoal.service.describe_schedules import describe_schedules
from shoal.service.http import MAX_LIMIT, PageRequest
from shoal.service.lending import borrowing_calls, lending_endpoints
from shoal.service.marks import event_mark, operations_of
from shoal.service.objects import describe_objects
from shoal.service.projecting import describe_projections, with_journal
from shoal.service.reach import reaches_store
from shoal.service.records import personal_data
from shoal.service.searching import describe_search
from shoal.service.settings import Secret, Settings
from shoal.service.signature import (
    Param,
    Signature,
    analyse,
    analyse_provider,
    is_list,
    outline,
    provided_kind,
)
from shoal.service.source import of_function
from shoal.service.system import System
from shoal.service.warehouse import describe_warehouse

JWKS_PATH = "/.well-known/jwks.json"
"""Where the issuing service publishes its keys (RFC 7517; the usual place below RFC 8615)."""

BODIES = ("POST", "PUT", "PATCH")
"""Methods that carry a body."""


def describe(system: System) -> model.System:
    """Describe a system as pure data; raises `DeclarationError` for what is impossible."""
    issuer = system.issuer
    services = tuple(
        describe_service(s, issues_tokens=issuer is not None and issuer.service is s) for s in system.services
    )
    return model.System(
        name=system.name,
        services=services,
        gateway=msgspec.structs.replace(
            system.gateway,
            issuer=None
            if issuer is None
            else model.Issuer(
                service=issuer.service.name,
                audience=issuer.audience,
                name=issuer.name or identity(system.name, issuer.service.name),
            ),
        ),
        externals=system.externals,
    )


def describe_service(service: Service, *, issues_tokens: bool = False) -> model.Service:
    """Describe one service as pure data."""
    signatures = [endpoint_signature(service, e) for e in service.endpoints]
    heard = [analyse(service, s.handler, event=s.hears) for s in service.subscriptions]
    provided = [analyse_provider(service, p) for p in service.providers]
    seeded = [analyse(service, s.handler) for s in service.seeds] + [outline(work) for work in service.background]
    _check_endpoints(service, signatures)
    _check_cache(service, [*signatures, *heard, *seeded, *provided])
    shapes = _Shapes(
        [p.kind for s in signatures for p in s.params if p.place not in ("injected", "socket")]
        + [kind for s in signatures for kind in messages(s) or ()]
        + [s.returns for s in signatures if s.returns is not None]
        + list(service.publishes)
        + [saga.state for saga in service.sagas]
    )
    return model.Service(
        name=service.name,
        entry=service.entry,
        summary=service.summary,
        endpoints=_endpoints(service, signatures, shapes, issues_tokens=issues_tokens),
        publishes=tuple(_event(kind, shapes) for kind in service.publishes),
        subscriptions=with_endings(service, with_journal(service, [_subscription(s) for s in service.subscriptions])),
        projections=describe_projections(service),
        calls=(*_calls(service, [*signatures, *heard, *seeded, *provided]), *borrowing_calls(service)),
        sagas=tuple(describe_saga(service, saga, shapes.of(saga.state)) for saga in service.sagas),
        schedules=describe_schedules(service),
        store=service.store,
        cache=service.cache,
        warehouse=describe_warehouse(service.warehouse),
        search=describe_search(service),
        objects=describe_objects(service.objects),
        settings=_settings(service.name, service.settings),
        externals=service.externals,
        traffic=service.traffic,
        objectives=service.objectives,
        schemas=shapes.named,
        personal=personal_data(service),
        source=service.source,
    )


def _check_endpoints(service: Service, signatures: Sequence[Signature]) -> None:
    _check_store(service, signatures)
    _check_principals(service, signatures)
    check_caches(service, signatures)
    _check_providers(service)
    check_contracts(service, signatures)


def endpoint_signature(service: Service, declared: EndpointDeclaration) -> Signature:
    """Read the signature of an endpoint's handler."""
    operation = declared.operation
    found = analyse(
        service,
        declared.handler,
        path=operation.path,
        body=operation.method in BODIES,
        stream=operation.edge.stream is not None,
    )
    check_socket(operation, found)
    return found


class _Shapes:
    """The JSON Schemas of every type that a service shows, made together so that they share their names."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        unique: list[Any] = []
        for kind in kinds:
            if kind not in unique:
                unique.append(kind)
        found, self.named = codec.schemas(unique)
        self._found = list(zip(unique, found, strict=True))

    def of(self, kind: Any) -> Schema:
        return next(schema for known, schema in self._found if known == kind)


def _endpoint(service: Service, declared: EndpointDeclaration, signature: Signature, shapes: _Shapes) -> Endpoint:
    operation = declared.operation
    parameters = [
        Parameter(name=p.wire, place=p.place, schema=shapes.of(p.kind), required=_must_be_sent(p))
        for p in signature.params
        if p.place in ("path", "query", "header")
    ]
    body = next(iter(signature.at("body")), None)
    heard, said = messages(signature) or (None if body is None else body.kind, signature.returns)
    empty = said is None
    return Endpoint(
        name=operation.name,
        method=operation.method,
        path=operation.path,
        access=operation.access,
        policy=operation.policy,
        status=204 if empty and operation.status == 200 else operation.status,
        idempotent=operation.idempotent,
        critical=operation.critical,
        audited=is_audited(service, declared),
        edge=operation.edge,
        objectives=operation.objectives,
        parameters=tuple(parameters + _paging(signature)),
        request=None if heard is None else shapes.of(heard),
        request_required=body is None or body.required,
        response=None if empty else shapes.of(said),
        summary=(declared.handler.__doc__ or "").strip().partition("\n")[0],
        source=operation.source,
    )


def _must_be_sent(param: Param) -> bool:
    return param.place == "path" or (param.required and not is_list(param.kind))


def _paging(signature: Signature) -> list[Parameter]:
    if all(p.kind is not PageRequest for p in signature.params):
        return []
    page: Schema = {"type": "integer", "minimum": 1, "default": 1}
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 20}
    return [
        Parameter(name="page", place="query", schema=page, required=False),
        Parameter(name="limit", place="query", schema=limit, required=False),
    ]


def _endpoints(
    service: Service, signatures: Sequence[Signature], shapes: _Shapes, *, issues_tokens: bool
) -> tuple[Endpoint, ...]:
    declared = [_endpoint(service, e, s, shapes) for e, s in zip(service.endpoints, signatures, strict=True)]
    return (*declared, *((_jwks_endpoint(service),) if issues_tokens else ()), *lending_endpoints(service))


def _jwks_endpoint(service: Service) -> Endpoint:
    return Endpoint(
        name="jwks",
        method="GET",
        path=JWKS_PATH,
        access=Access(kind="anyone"),
        policy=Policy(timeout=2.0),
        response={"type": "object"},
        summary="Public keys of the tokens' signatures.",
        source=service.source,
    )


def _event(kind: type, shapes: _Shapes) -> Event:
    mark = event_mark(kind)
    return Event(
        name=mark.name,
        version=mark.version,
        key=mark.key,
        sequence=mark.sequence,
        mode=mark.mode,
        failure=mark.failure,
        schema=shapes.of(kind),
        source=mark.source,
    )


def _subscription(declared: SubscriptionDeclaration) -> Subscription:
    leads_to = declared.leads_to
    return Subscription(
        event=declared.event.id,
        handler=declared.handler.__name__,
        accepts=tuple(chain.event.id for chain in declared.chains),
        leads_to=None if leads_to is None else tuple(event_mark(kind).id for kind in leads_to),
        policy=declared.policy,
        source=declared.source,
    )


def _calls(service: Service, signatures: Sequence[Signature]) -> tuple[Call, ...]:
    """Every operation of every contract that is injected somewhere, once."""
    calls: dict[tuple[str, str], Call] = {}
    for signature in signatures:
        for param in signature.at("injected"):
            for operation in (operations_of(param.kind) or {}).values():
                guard = service.guard(operation)
                call = Call(
                    service=operation.service,
                    endpoint=operation.name,
                    policy=operation.policy,
                    breaker=None if guard is None else guard.breaker,
                    source=signature.source,
                )
                calls.setdefault((operation.service, operation.name), call)
    service.refuse_idle(calls)
    check_fallbacks(service.breakers, [param.kind for s in signatures for param in s.at("injected")])
    return tuple(calls.values())


def _settings(
    service: str, kind: type[Settings] | None, prefix: str = "", *, required: bool = True
) -> tuple[Setting, ...]:
    """List the variables; within a nested struct that has a default, none must be set."""
    if kind is None:
        return ()
    hints = typing.get_type_hints(kind)
    found: list[Setting] = []
    for field in msgspec.structs.fields(kind):
        declared = hints[field.name]
        name = f"{prefix}{field.name}"
        if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
            nested = typing.cast("type[Settings]", declared)
            found += _settings(service, nested, f"{name}__", required=required and field.required)
            continue
        found.append(
            Setting(
                name=name,
                variable=variable(service, name),
                required=required and field.required,
                secret=_holds_secret(declared),
            )
        )
    return tuple(found)


def _holds_secret(kind: Any) -> bool:
    return kind is Secret or any(_holds_secret(part) for part in typing.get_args(kind))


def _check_store(service: Service, signatures: Sequence[Signature]) -> None:
    """Refuse, without a store, what needs one."""
    if service.store is not None:
        return
    for declared, signature in zip(service.endpoints, signatures, strict=True):
        operation = declared.operation
        if operation.idempotent or operation.audited or any(reaches_store(p.kind) for p in signature.params):
            raise _storeless(service, operation.name, operation.source)
    for seed in service.seeds:
        raise _storeless(service, f"seed {seed.name}", of_function(seed.handler))


def _check_cache(service: Service, signatures: Sequence[Signature]) -> None:
    """Refuse, without a cache, what needs one."""
    if service.cache is not None:
        return
    asking = [(p.kind.__name__, s.source) for s in signatures for p in s.params if p.kind in NEEDING]
    asking += [(f"@{service.name}.cached", declared.source) for declared in service.remembered.values()]
    for what, where in asking:
        raise DeclarationError(
            f"{what} needs a cache, but service {service.name} has none",
            hint=f'declare Service("{service.name}", cache=Valkey())',
            where=where,
        )


def _check_principals(service: Service, signatures: Sequence[Signature]) -> None:
    """Refuse an internal operation that asks who calls: no token is passed on to it, so it would always answer 401."""
    for declared, signature in zip(service.endpoints, signatures, strict=True):
        kinds = {p.kind for p in signature.params}
        if declared.operation.access.kind == "internal" and Principal in kinds:
            raise DeclarationError(
                f"{declared.operation.name} is internal and asks for a principal, whom nobody sends there",
                hint="declare it signed_in, or take what it needs to know as a parameter",
                where=signature.source,
            )


def _storeless(service: Service, name: str, where: str) -> DeclarationError:
    return DeclarationError(
        f"{name} needs a store, but service {service.name} has none",
        hint=f'declare Service("{service.name}", store=Postgres())',
        where=where,
    )


def _check_providers(service: Service) -> None:
    first: dict[Any, str] = {}
    for provider in service.providers:
        kind, where = provided_kind(provider), of_function(provider)
        if kind in first:
            raise DeclarationError(
                f"{getattr(kind, '__name__', kind)} is provided twice, first at {first[kind]}",
                hint="remove one of them",
                where=where,
            )
        first[kind] = where
