"""What each service needs to do, as follows from what it declares: of this every cloud makes its rights. Pure data."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from shoal.deploy.cloud.scope import Scope
from shoal.model import names
from shoal.model.plan import ServicePlan

Verb = Literal["publish", "hear", "store", "keep", "wrap", "mail", "report"]
"""``publish`` to a stream, ``hear`` a consumer of one, ``store`` records, ``keep`` objects, ``wrap`` keys of personal
data, send ``mail``, ``report`` facts to a warehouse."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a service does with one thing that is its own."""

    verb: Verb
    thing: str
    """Name of the stream, or of the service whose records, objects or keys they are."""
    consumer: str = ""
    """Of the stream, for who hears it."""
    server: str = ""
    """Engine that has it: ``sns``, ``dynamodb``; empty where it is no engine."""
    why: str = ""


def needs(scope: Scope, service: ServicePlan) -> Iterator[Need]:
    """List what a service needs; what is not here is allowed to nobody."""
    used = scope.uses(service)
    if service.broker is not None:
        server, why = used["broker"], "Its own events, and its own dead letters."
        for stream in published(scope, service):
            yield Need(verb="publish", thing=stream, server=server, why=why)
        for one in service.broker.consumers:
            yield Need(verb="hear", thing=one.stream, consumer=one.durable, server=server, why="What it subscribed to.")
    for role, verb, why in (
        ("store", "store", "Its own records; no scans."),
        ("objects", "keep", "Its own objects."),
        ("warehouse", "report", "Its own facts."),
    ):
        if role in used:
            yield Need(verb=verb, thing=service.name, server=used[role], why=why)  # type: ignore[arg-type]
    if scope.declared(service).personal:
        yield Need(verb="wrap", thing=service.name, why="Wraps the keys of its personal data.")
    if mails(scope, service):
        yield Need(verb="mail", thing="mail", why="It sends e-mail.")


def published(scope: Scope, service: ServicePlan) -> tuple[str, ...]:
    """Name the streams to which a service publishes: its own, and that of its dead letters."""
    if service.broker is None:
        return ()
    own = (service.broker.stream,) if service.broker.stream else ()
    return (*own, names.dead_letter_stream(scope.system, service.name)) if service.broker.consumers else own


def mails(scope: Scope, service: ServicePlan) -> bool:
    """Tell whether a service sends e-mail."""
    return any(e.protocol == "smtp" and e.name in service.externals for e in scope.plan.externals)


def unasked(scope: Scope, service: ServicePlan) -> list[str]:
    """Name the variables of servers of SMTP of which an environment says nothing, as where mail goes another way."""
    every = (service.externals.get(one.name, "") for one in scope.plan.externals if one.protocol == "smtp")
    return [name for name in every if name and name not in scope.environment.settings]
