"""Compile everything that a service declares, once; a wrong signature is an error at start."""

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from shoal.runtime.answers.ends import Ends
from shoal.runtime.answers.kept import Answers
from shoal.runtime.commands.endpoint import AuditedEndpoint
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.endpoint import Endpoint, Surroundings
from shoal.runtime.inject import Plan
from shoal.runtime.issuer import key_set_endpoint
from shoal.runtime.lifecycle import lifecycle
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.privacy.opening import personal_events
from shoal.runtime.sockets import SocketEndpoint
from shoal.runtime.streaming import StreamEndpoint
from shoal.runtime.transacting import Transactor
from shoal.runtime.watching import Watcher
from shoal.service import codec
from shoal.service.audited import hidden_in_path, is_audited
from shoal.service.declare import EndpointDeclaration, Service, SubscriptionDeclaration
from shoal.service.describe import endpoint_signature
from shoal.service.marks import operations_of
from shoal.service.signature import analyse, plain_kind
from shoal.service.sockets import Transact
from shoal.service.streams import Watch
from shoal.service.upcasting import Upcasting


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be called."""

    endpoints: tuple[Endpoint, ...]
    subscribers: Mapping[str, Subscriber]
    """By event id."""
    seeds: Mapping[str, Plan]
    """By name."""


def compile_service(service: Service, around: Surroundings, metrics: Metrics, *, jwks: str = "") -> Compiled:
    """Compile a service's handlers; `jwks` names the file of keys that an issuing service publishes."""
    declared = [*service.endpoints, *([key_set_endpoint(jwks, service.source)] if jwks else []), *around.lending]
    ends = None if around.store is None else Ends(around.store)
    endpoints = tuple(_endpoint(service, d, around, metrics, ends) for d in declared)
    for endpoint in endpoints:
        if endpoint.operation.edge.cache is not None:
            endpoint.answers = Answers(endpoint.operation.edge.cache, ends, endpoint.reads)
        endpoint.lifecycle = lifecycle(endpoint.operation, (d.operation for d in declared), around.clock)
    sealed = personal_events(service)
    return Compiled(
        endpoints=endpoints,
        subscribers={
            event: Subscriber(
                name=s.handler.__name__,
                handler=s.handler,
                plan=Plan(analyse(service, s.handler, event=s.hears), (), around.values),
                codec=reader,
                policy=s.policy,
                batch=s.batch,
                series=metrics.series("event", event),
                personal=event in sealed,
            )
            for s in service.subscriptions
            for event, reader in readers(s)
        },
        seeds={s.name: Plan(analyse(service, s.handler), (), around.values) for s in service.seeds},
    )


def _endpoint(
    service: Service, declared: EndpointDeclaration, around: Surroundings, metrics: Metrics, ends: Ends | None
) -> Endpoint:
    signature, series = endpoint_signature(service, declared), _series(service, metrics, declared)
    stream, socket = declared.operation.edge.stream, declared.operation.edge.socket
    goes_on = stream or socket
    if goes_on is None and is_audited(service, declared):
        return AuditedEndpoint(declared, signature, around, series, hidden_in_path(service, declared))
    if goes_on is None:
        return Endpoint(declared, signature, around, series)
    if around.store is not None and ends is not None:
        watcher = Watcher(around.store, around.announcer, ends, goes_on.events)
        values = {**around.values, Watch: watcher}
        if socket is not None:
            values[Transact] = Transactor(around.store, around.announcer, around.poke)
        around = msgspec.structs.replace(around, values=values)
    kind = StreamEndpoint if socket is None else SocketEndpoint
    return kind(declared, signature, around, series)


def _series(service: Service, metrics: Metrics, declared: EndpointDeclaration) -> Series:
    operation = declared.operation
    about = (("http.request.method", operation.method), ("http.route", operation.path), ("url.scheme", "http"))
    name, owed = f"{service.name}.{operation.name}", () if operation.edge.goes_on else service.objectives
    promises = [*metrics.promises.of(name, operation.objectives), *metrics.promises.of(service.name, owed)]
    return metrics.requests(name, about, promises)


def readers(subscription: SubscriptionDeclaration) -> Iterator[tuple[str, codec.Codec[Any]]]:
    """Yield every id that reaches a handler, and how it becomes the event that the handler takes."""
    yield subscription.event.id, codec.Codec(subscription.kind)
    for chain in subscription.chains:
        yield chain.event.id, Upcasting(chain)


def contracts_of(service: Service) -> set[Any]:
    """Collect the contracts that a service's handlers and providers ask for."""
    functions: list[Callable[..., Any]] = [e.handler for e in service.endpoints]
    functions += [s.handler for s in service.subscriptions]
    functions += [s.handler for s in service.seeds]
    functions += [*service.background, *service.providers]
    hints = [hint for f in functions for name, hint in typing.get_type_hints(f).items() if name != "return"]
    return {kind for hint in hints for kind in (plain_kind(hint)[0],) if operations_of(kind) is not None}
