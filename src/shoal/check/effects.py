"""What handlers change: in their store, in other services, and outside of everything that commits with them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shoal.check.finding import Place
from shoal.check.graph import Handler, Operation, Site
from shoal.check.source import Function, Source
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
    for use in subject.graph.uses(handler):
        if use.kind.name in KEPT and use.method in WRITES:
            return use.where
    return None


def outside(subject: Subject, handler: Handler) -> Iterator[Outside]:
    """List what a handler does outside, itself, by functions to which it leads, and by what it is provided with."""
    for function in subject.graph.reached(handler):
        if not any(name.startswith(_PACKAGES) for name in function.module.imported.values()):
            continue
        for node, _ in function.body:
            what = _called(subject.source, function, node) if isinstance(node, ast.Call) else ""
            if what:
                broker, mail = what.startswith(_BROKERS), "smtplib." in what
                text = function.module.written(function.node).lower().replace("_", "-")
                keyed = "idempotency" in text or (mail and "message-id" in text)
                yield Outside(what, function.module.head(node), broker, mail, keyed)


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


def _called(source: Source, function: Function, node: ast.Call) -> str:
    """Name what a call does outside; empty where it does nothing there."""
    name = function.module.name_of(node.func)
    if name in _SENDING or (name.startswith(_CLIENTS) and _verb(name.rpartition(".")[2], node) in _VERBS):
        return name
    if name == "urllib.request.urlopen" and _posts(node):
        return name
    if not isinstance(node.func, ast.Attribute):
        return ""
    kind, method = source.maker(function, node.func.value), node.func.attr
    sends = (
        (kind.startswith(_CLIENTS) and _verb(method, node) in _VERBS)
        or (kind.startswith(_BROKERS) and method in _ANNOUNCED)
        or (kind in _MAIL and method in _MAILED)
    )
    return f"{kind}.{method}" if sends else ""


def _verb(method: str, node: ast.Call) -> str:
    """Tell by which verb something is asked: ``client.post(...)``, ``client.request("POST", ...)``."""
    if method not in ("request", "stream"):
        return method
    named = [word.value for word in node.keywords if word.arg == "method"]
    said = next(iter([*named, *node.args]), None)
    return str(said.value).lower() if isinstance(said, ast.Constant) else ""


def _posts(node: ast.Call) -> bool:
    """Tell whether ``urlopen`` is given something to send."""
    return len(node.args) > 1 or any(word.arg == "data" for word in node.keywords)
