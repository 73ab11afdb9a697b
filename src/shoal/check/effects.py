"""What handlers change: in their store, in other services, and outside of everything that commits with them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shoal.check.finding import Place
from shoal.check.graph import Handler, Operation, Site
from shoal.check.source import Function
from shoal.check.subject import Subject
from shoal.model.service import Endpoint

WRITES = frozenset({"put", "insert", "delete", "append", "execute", "put_many", "start", "publish", "forget"})
"""What changes something of `Transaction` and `Documents`."""

KEPT = frozenset({"shoal.Transaction", "shoal.Documents"})

_VERBS = frozenset({"post", "put", "patch", "delete"})
_CLIENTS = ("httpx.", "aiohttp.", "requests.")
_SENDING = frozenset({"aiosmtplib.send", "smtplib.SMTP.sendmail", "smtplib.SMTP.send_message"})
_MAIL = frozenset({"smtplib.SMTP", "smtplib.SMTP_SSL", "aiosmtplib.SMTP"})
_MAILED = frozenset({"sendmail", "send_message"})
_BROKERS = ("aiokafka.", "confluent_kafka.", "kafka.", "nats.", "pika.", "aio_pika.", "kombu.", "stomp.", "paho.mqtt.")
_PACKAGES = tuple({name.removesuffix(".") for name in (*_CLIENTS, *_BROKERS)} | {"aiosmtplib", "smtplib", "urllib"})
_ANNOUNCED = frozenset({"send", "send_and_wait", "send_batch", "produce", "publish", "basic_publish"})


@dataclass(frozen=True, eq=False)
class Outside:
    """Something that happens at once, whatever becomes of the transaction.

    Attributes:
        what: ``httpx.AsyncClient.post``.
        where: Where it stands.
        broker: Whether it is a message to a broker.
        mail: Whether it is a mail.
        keyed: Whether it has a key by which the other side knows a repetition.
    """

    what: str
    where: Place
    broker: bool
    mail: bool
    keyed: bool


def writes(subject: Subject, handler: Handler) -> Place | None:
    """Say where a handler first changes something in its own store; None where it does not, for all that is known."""
    for use in subject.source.uses(handler.function) if handler.function else ():
        if use.kind.name in KEPT and use.method in WRITES:
            return use.where
    return None


def outside(subject: Subject, handler: Handler) -> Iterator[Outside]:
    """List what a handler does outside, itself, by functions to which it leads, and by what it is provided with."""
    for function in _reached(subject, handler):
        if not any(name.startswith(_PACKAGES) for name in function.module.imported.values()):
            continue
        clients = _Clients(function)
        for node, _ in function.body:
            what = clients.called(node) if isinstance(node, ast.Call) else ""
            if what:
                broker, mail = what.startswith(_BROKERS), "smtplib." in what
                text = function.module.written(function.node).lower().replace("_", "-")
                keyed = "idempotency" in text or (mail and "message-id" in text)
                yield Outside(what, function.module.head(node), broker, mail, keyed)


def _reached(subject: Subject, handler: Handler) -> list[Function]:
    """List the functions to which a handler leads, those behind a port included: methods of what provides it makes."""
    source = subject.source
    found = dict(source.reached(handler.function)) if handler.function else {}
    for use in source.uses(handler.function) if handler.function else ():
        provider = subject.graph.provider(handler.service, use.kind.name)
        for maker, _ in source.reached(provider) if provider else ():
            methods = (source.named(f"{source.origin(name)}.{use.method}") for name in maker.named)
            for method in filter(None, methods):
                found |= dict(source.reached(method))
    return list(found)


def changing(subject: Subject, site: Site) -> Endpoint | None:
    """Return the operation that is called, where it changes something; what only answers a question is none."""
    endpoint = subject.system.service(site.call.service).endpoint(site.call.endpoint)
    if endpoint is None or endpoint.method == "GET":
        return None
    handler = subject.graph.answering.get(Operation(site.call.service, site.call.endpoint))
    if handler is None or handler.function is None:
        return endpoint
    asks = any(kind.name in KEPT for kind in handler.function.kinds.values())
    return None if asks and writes(subject, handler) is None and not subject.graph.sites[handler] else endpoint


class _Clients:
    """Which names of a function stand for clients of what lies outside."""

    def __init__(self, function: Function) -> None:
        self._function, self._module = function, function.module
        self._made = {name: kind.name for name, kind in function.kinds.items()}
        for node, _ in function.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._bind(node.targets[0], node.value)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                self._bind(node.optional_vars, node.context_expr)
        for name, node in self._module.top.items():
            if isinstance(node, ast.Assign) and name not in self._made:
                self._bind(node.targets[0], node.value)

    def called(self, node: ast.Call) -> str:
        """Name what a call does outside; empty where it does nothing there."""
        name = self._module.name_of(node.func)
        if name in _SENDING or (name.startswith(_CLIENTS) and name.rpartition(".")[2] in _VERBS):
            return name
        if name == "urllib.request.urlopen" and _posts(node):
            return name
        if not isinstance(node.func, ast.Attribute):
            return ""
        kind, method = self._kind(node.func.value), node.func.attr
        sends = (
            (kind.startswith(_CLIENTS) and method in _VERBS)
            or (kind.startswith(_BROKERS) and method in _ANNOUNCED)
            or (kind in _MAIL and method in _MAILED)
        )
        return f"{kind}.{method}" if sends else ""

    def _kind(self, value: ast.expr) -> str:
        if isinstance(value, ast.Name):
            return self._made.get(value.id, "")
        known = self._function.kind(value)
        return known.name if known else ""

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        made = value.value if isinstance(value, ast.Await) else value
        if isinstance(target, ast.Name) and isinstance(made, ast.Call):
            self._made[target.id] = self._module.name_of(made.func)


def _posts(node: ast.Call) -> bool:
    """Tell whether ``urlopen`` is given something to send."""
    return len(node.args) > 1 or any(word.arg == "data" for word in node.keywords)
