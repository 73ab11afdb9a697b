"""`Cache`: what authors say about keeping answers."""

from collections.abc import Sequence

from shoal.errors import DeclarationError
from shoal.model.caching import Cache as CacheModel
from shoal.model.service import Policy, Subscription
from shoal.model.streaming import Stream
from shoal.service.cached import forgetting
from shoal.service.context import Principal
from shoal.service.declare import EndpointDeclaration, Service
from shoal.service.signature import Signature

HANDLER = "cache"
"""Name of the handler that only ends kept answers."""

POLICY = Policy(timeout=25.0, attempts=8, backoff=0.2)


def check_caches(service: Service, signatures: Sequence[Signature]) -> None:
    """Refuse what could show one caller's answer to another, and events that nobody could hear."""
    for declared, signature in zip(service.endpoints, signatures, strict=True):
        cache = declared.operation.edge.cache
        if cache is not None:
            _check(service, declared, cache, signature)


def _check(service: Service, declared: EndpointDeclaration, cache: CacheModel, signature: Signature) -> None:
    operation = declared.operation
    if operation.method != "GET":
        raise DeclarationError(
            f"{operation.name} answers {operation.method} and asks for a cache",
            hint="only answers to GET can be kept",
            where=operation.source,
        )
    personal = operation.access.kind == "principal" or any(p.kind is Principal for p in signature.params)
    if cache.shared and personal:
        raise DeclarationError(
            f"{operation.name} asks for a principal, and for a shared cache: others would see the answer",
            hint="leave out shared=True: the answer is then kept for each principal apart",
            where=operation.source,
        )
    if cache.invalidated_by and service.store is None:
        raise DeclarationError(
            f"the cache of {operation.name} ends with events, but service {service.name} has no store to note them",
            hint=f'declare Service("{service.name}", store=Postgres())',
            where=operation.source,
        )


def ending(service: Service) -> dict[str, str]:
    """Collect the events that end kept answers, or wake streams and sockets: id → where that was said."""
    found: dict[str, str] = {}
    for declared in service.endpoints:
        edge = declared.operation.edge
        ended = edge.cache.invalidated_by if edge.cache else ()
        heard = (edge.stream or edge.socket or Stream()).events
        for event in (*ended, *heard):
            found.setdefault(event, declared.operation.source)
    return found


def _forgotten(service: Service) -> dict[str, str]:
    """Collect the events that end results of functions: id → where that was said."""
    found = forgetting(service)
    for event, (function, *_) in found.items():
        if service.store is None:
            raise DeclarationError(
                f"results of {function.name} end with {event}, but service {service.name} has no store to hear it with",
                hint=f'declare Service("{service.name}", store=Postgres())',
                where=function.source,
            )
    return {event: functions[0].source for event, functions in found.items()}


def with_endings(service: Service, handled: Sequence[Subscription]) -> tuple[Subscription, ...]:
    """Add to a service's subscriptions the events that nothing but its caches hear."""
    heard = {id_ for subscription in handled for id_ in subscription.heard}
    return (
        *handled,
        *(
            Subscription(event=event, handler=HANDLER, leads_to=(), policy=POLICY, source=source)
            for event, source in (_forgotten(service) | ending(service)).items()
            if event not in heard
        ),
    )
