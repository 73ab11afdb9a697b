"""Typed requests to a running system: made from declared endpoints, sent through its gateway or from inside."""

import http.client
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from shoal import model
from shoal.errors import DeclarationError, HostError
from shoal.local.front import connection
from shoal.local.state import RunState
from shoal.model.listing import host_of
from shoal.model.service import Schema
from shoal.operating.inside import Outbound, outbound
from shoal.operating.tokens import sign
from shoal.operating.where import Where

_METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

_NAME, _VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What a header may be called, and hold (RFC 9110, sections 5.1 and 5.5)."""


class Unfit(DeclarationError):
    """Refuse values that an endpoint does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Args:
        subject: Principal; `dev` where one is needed and none is named.
        roles: Theirs.
        claims: Further claims of theirs.
        service: The service from inside of which it is called; empty for a call through the gateway.
    """

    subject: str = ""
    roles: Sequence[str] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, ready to be sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    socket: str = ""
    """Where a service sends its calls, for a request from inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    ms: float
    """Milliseconds from the request to the last byte."""
    cut: bool = False
    """Whether there would have been more: it is longer than was asked for, or does not end."""


def endpoint(system: model.System, target: str, *, inside: bool = False) -> model.Endpoint:
    """Find ``service.endpoint``; `DeclarationError` when there is none, or none that the caller reaches."""
    name, _, wanted = target.partition(".")
    service = system.service(name)
    found = service.endpoint(wanted.replace("-", "_")) or service.endpoint(wanted)
    if found is None:
        known = ", ".join(f"{name}.{e.name}" for e in service.endpoints if e.exposed)
        raise DeclarationError(
            f"service {name} has no endpoint {wanted!r}", hint=f"exposed endpoints: {known or 'none'}"
        )
    if not found.exposed and not inside:
        raise DeclarationError(
            f"{target} is internal: the gateway has no route to it", where=found.source,
            hint="only services that declared the call reach it; call as one of them: --from SERVICE",
        )  # fmt: skip
    return found


def made(
    where: Where,
    system: model.System,
    target: str,
    values: Mapping[str, str],
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    caller: Caller | None = None,
) -> Request:
    """Make a request of an endpoint.

    Args:
        where: The project, whose key signs tokens and whose run is asked.
        system: What it declares.
        target: ``service.endpoint``.
        values: Path, query and header parameters by name.
        body: The body, as JSON.
        headers: Further headers.
        caller: Who calls.

    Raises:
        DeclarationError: There is no such endpoint.
        Unfit: A parameter that it needs is missing, or a header cannot be sent.
    """
    who = caller or Caller()
    found = endpoint(system, target, inside=bool(who.service))
    path, own = fill(found, found.path if who.service else found.public, values)
    sent = {**own, **(headers or {}), **_authorization(where, system, found, who)}
    if body is not None:
        sent["Content-Type"] = "application/json"
    if found.idempotent and "Idempotency-Key" not in sent:
        sent["Idempotency-Key"] = str(uuid.uuid4())
    _refuse_unsendable(sent)
    if not who.service:
        return Request(method=found.method, path=path, headers=sent, body=body)
    sent.setdefault("Host", host_of(target.partition(".")[0]))
    socket = outbound(where.root, who.service)
    return Request(method=found.method, path=path, headers=sent, body=body, socket=socket)


def fill(found: model.Endpoint, path: str, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Put values into the path with its query, and into headers; `Unfit` when one is missing."""
    query, headers = {}, {}
    for parameter in found.parameters:
        if parameter.name not in given:
            if parameter.required:
                raise Unfit(f"{parameter.place} parameter {parameter.name} is missing: add {parameter.name}=...")
            continue
        text = given[parameter.name]
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(text, safe=""))
        elif parameter.place == "query":
            query[parameter.name] = text
        else:
            headers[parameter.name] = text
    return f"{path}?{urlencode(query)}" if query else path, headers


def body_schema(found: model.Endpoint, schemas: Mapping[str, Schema]) -> Schema:
    """Return the schema of the body."""
    schema = found.request or {}
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def refuse_unknown(found: model.Endpoint, schemas: Mapping[str, Schema], fields: Iterable[str]) -> None:
    """Refuse, as `Unfit`, a field that the service would ignore."""
    schema = body_schema(found, schemas)
    known = schema.get("properties")
    odd = [name for name in fields if known is not None and name not in known]
    if odd and not schema.get("additionalProperties"):
        takes = ", ".join((*(p.name for p in found.parameters), *(known or ())))
        raise Unfit(f"{found.name} does not take {', '.join(odd)}; it takes: {takes or 'nothing'}")


def body_of(found: model.Endpoint, fields: Mapping[str, Any]) -> bytes | None:
    """Write fields as the body; None where there is none, `Unfit` where there may be none."""
    if found.method in _METHODS_WITH_BODY and (fields or found.request is not None):
        return msgspec.json.encode(fields)
    if fields:
        known = ", ".join(p.name for p in found.parameters) or "none"
        raise Unfit(f"{found.name} does not take {', '.join(fields)}; its parameters: {known}")
    return None


def send(run: RunState, request: Request, timeout: float = 30.0, most: int | None = None) -> Answer:
    """Send a request, and wait for its answer up to `timeout` seconds; `HostError` when none comes.

    Args:
        run: What is asked.
        request: What is sent.
        timeout: Seconds.
        most: Bytes after which the answer is cut, as it is at the end of the time; where nothing is said, it is read
            as a whole.
    """
    opened = Outbound(request.socket, timeout) if request.socket else connection(run.gateway, run.authority, timeout)
    began = time.perf_counter()
    try:
        opened.request(request.method, request.path, request.body, request.headers)
        answer = opened.getresponse()
        body, cut = (answer.read(), False) if most is None else _some(answer, most, began + timeout)
    except (OSError, http.client.HTTPException) as error:
        raise HostError(
            f"{request.method} {run.gateway}{request.path} got no answer: {error}",
            hint="see `shoal ps` and `shoal logs`",
        ) from error
    finally:
        opened.close()
    return Answer(
        status=answer.status,
        reason=answer.reason,
        headers={name.lower(): value for name, value in answer.getheaders()},
        body=body,
        ms=(time.perf_counter() - began) * 1000,
        cut=cut,
    )


def _some(answer: http.client.HTTPResponse, most: int, until: float) -> tuple[bytes, bool]:
    """Read so many bytes of an answer, or what comes in time; say whether there would have been more."""
    found = bytearray()
    while len(found) <= most and time.perf_counter() < until:
        try:
            part = answer.read1(most + 1 - len(found))
        except TimeoutError:
            if not found:
                raise
            break
        found += part
        if not part:
            if answer.length:
                raise http.client.IncompleteRead(bytes(found), answer.length)
            return bytes(found), False
    return bytes(found[:most]), True


def _refuse_unsendable(headers: Mapping[str, str]) -> None:
    """Refuse a header that HTTP has no way to carry; its value, which may be a secret, is not told."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise Unfit(f"{name!r} cannot be the name of a header", hint="use letters, digits and hyphens")
        if not _VALUE.fullmatch(value):
            raise Unfit(
                f"the value of header {name} cannot be sent: it has a line break, a control character or a letter "
                "beyond Latin-1",
                hint="percent-encode what is no plain text",
            )


def _authorization(where: Where, system: model.System, found: model.Endpoint, who: Caller) -> dict[str, str]:
    asked = who.subject or who.roles or who.claims
    if found.access.kind != "principal" and not asked:
        return {}
    return {"Authorization": f"Bearer {sign(where.root, system, who.subject or 'dev', who.roles, who.claims)}"}
