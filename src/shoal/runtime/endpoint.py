"""One compiled endpoint: from a request to its answer."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from shoal.drivers.base import Session, Store
from shoal.errors import DeclarationError, Duplicate, Problem
from shoal.model.service import path_parameters
from shoal.runtime import idempotency
from shoal.runtime.answers.kept import Answers
from shoal.runtime.auth import KEY_HEADER, Authenticator, authorize
from shoal.runtime.deadline import Limit, Limits
from shoal.runtime.inject import Plan, Values
from shoal.runtime.lifecycle import Lifecycle
from shoal.runtime.metrics.registry import Series
from shoal.runtime.request import Receive, Request, Response, encode_headers, read_body
from shoal.runtime.requested import shown
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service import codec
from shoal.service.context import Clock
from shoal.service.declare import EndpointDeclaration
from shoal.service.http import Reply
from shoal.service.signature import Signature

JSON = (b"content-type", b"application/json")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoints of one service share."""

    store: Store | None
    announcer: Announcer
    authenticator: Authenticator | None
    values: Values
    poke: Callable[[], None]
    """Tells the relay that something was announced."""
    clock: Clock | None = None
    leaving: asyncio.Event | None = None
    """Set when the process begins nothing new."""
    lending: tuple[EndpointDeclaration, ...] = ()
    """Operations that lend the keys of events with personal fields."""


class Endpoint:
    """Serves one operation."""

    def __init__(
        self, declared: EndpointDeclaration, signature: Signature, around: Surroundings, series: Series
    ) -> None:
        self.operation = declared.operation
        self.lifecycle: Lifecycle | None = None
        self.answers: Answers | None = None
        self.series = series
        self.shown = shown(declared.operation, around.announcer.service)
        self.timeout = declared.operation.policy.timeout
        self._limits = Limits()
        self._turns = idempotency.Turns()
        self._handler = declared.handler
        self._around = around
        self._plan = Plan(signature, path_parameters(self.operation.path), around.values)
        bodies = signature.at("body")
        self._codec: codec.Codec[Any] | None = codec.Codec(bodies[0].kind) if bodies else None
        self.reads = tuple(param.wire for param in signature.at("header"))
        """Names of the headers that its handler takes."""
        self._reads_body = bool(bodies) or self.operation.idempotent
        self._body_required = bool(bodies) and bodies[0].required
        self._returns_body = signature.returns is not None
        self._transactional = self._plan.needs_transaction or self.operation.idempotent
        if self._transactional and around.store is None:
            raise DeclarationError(
                f"{self.operation.name} needs a transaction, but its service has no store",
                hint="declare Service(..., store=Postgres())",
                where=self.operation.source,
            )

    async def serve(self, request: Request, receive: Receive) -> Response:
        """Answer a request, within its budget; failures leave as exceptions."""
        with Limit(self._limits, request.context.budget):
            await self._authorize(request)
            if self.lifecycle is not None:
                self.lifecycle.check()
            if self.answers is not None:
                return await self.answers.through(request, lambda: self._work(request, receive))
            return await self._work(request, receive)

    async def _work(self, request: Request, receive: Receive) -> Response:
        """Do what is asked for, of a caller who is known."""
        body = await read_body(receive, self.operation.edge.largest) if self._reads_body else b""
        if self._codec is not None:
            self._decode(request, body)
        if not self._transactional:
            return self._answer(await self._handler(**self._plan.arguments(request)))
        if self.operation.idempotent:
            key = idempotency.key_of(request, self.operation.name)
            if key is not None:
                return await self._once(request, key, idempotency.fingerprint(request, body))
        return await self._commit(request, None)

    async def _authorize(self, request: Request) -> None:
        access, authenticator = self.operation.access, self._around.authenticator
        header, key = request.headers.get(b"authorization"), request.headers.get(KEY_HEADER)
        if access.kind == "principal":
            if authenticator is None:
                raise Problem(401, "unauthenticated", "this service knows no issuer of tokens")
            request.principal = await authenticator.authenticate(header, key)
            authorize(request.principal, access)
        elif (header or key) and authenticator is not None and self._plan.needs_principal:
            request.principal = await authenticator.authenticate(header, key)

    def _decode(self, request: Request, body: bytes) -> None:
        if self._codec is None or (not body and not self._body_required):
            return
        content_type = request.headers.get(b"content-type", b"application/json")
        if content_type != b"application/json" and not _is_json(content_type):
            raise Problem(415, "unsupported-media-type", "send application/json")
        try:
            request.body = self._codec.read(body)
        except msgspec.ValidationError as error:
            raise Problem(422, "invalid-body", str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "malformed-body", f"not JSON: {error}") from error

    async def _once(self, request: Request, key: str, digest: str) -> Response:
        """Run an idempotent command, or repeat its recorded answer.

        Where every effect lies within the transaction, a repeated key is found by the commit's own conflict, which
        saves a look-up. Otherwise it is looked up before any outside effect, and claimed, so that of requests at the
        same time one goes on and the others wait for its answer.
        """
        store = self._around.store
        if store is None:
            raise RuntimeError("unreachable: checked when the endpoint was compiled")
        if self._plan.only_transaction:
            return await self._try(store, request, key, digest)
        async with self._turns.take(key):
            receipt = await store.receipt(key)
            if receipt is not None:
                return idempotency.replay(receipt, digest)
            return await self._try(store, request, key, digest)

    async def _try(self, store: Store, request: Request, key: str, digest: str) -> Response:
        """Run the command; whatever kept it from committing, an answer that is there by now is given."""
        try:
            return await self._commit(request, (key, digest))
        except Exception as error:
            receipt = await store.receipt(key)
            if receipt is not None:
                return idempotency.replay(receipt, digest)
            if isinstance(error, Duplicate):
                raise Problem(
                    409, "idempotency-conflict", "the first request under this key is not finished"
                ) from error
            raise

    async def _commit(self, request: Request, receipt: tuple[str, str] | None) -> Response:
        store = self._around.store
        if store is None:
            raise RuntimeError("unreachable: checked when the endpoint was compiled")
        async with store.session() as session:
            unit = UnitOfWork(session, self._around.announcer)
            request.transaction = unit
            if receipt is not None and not self._plan.only_transaction:
                known = await session.claim(receipt[0])
                if known is not None:
                    return idempotency.replay(known, receipt[1])
            response = self._answer(await self._handler(**self._plan.arguments(request)))
            self._record(request, session, receipt, response)
        unit.committed(self._around.poke)
        return response

    def _record(self, request: Request, session: Session, receipt: tuple[str, str] | None, response: Response) -> None:  # noqa: ARG002 - what is recorded besides answers
        if receipt is not None:
            key, digest = receipt
            session.answer(idempotency.to_receipt(key, digest, response))

    def _answer(self, result: Any) -> Response:
        status = self.operation.status
        if isinstance(result, Reply):
            return self._reply(result, result.status or status)
        if not self._returns_body:
            return Response(204 if status == 200 else status, [], b"")
        return Response(status, [JSON], codec.encode(result))

    def _reply(self, reply: Reply[Any], status: int) -> Response:
        headers = encode_headers(reply.headers)
        if not self._returns_body:
            return Response(204 if status == 200 else status, headers, b"")
        if any(name == JSON[0] for name, _ in headers):
            return Response(status, headers, codec.encode(reply.body))
        return Response(status, [JSON, *headers], codec.encode(reply.body))


def _is_json(content_type: bytes) -> bool:
    """Tell whether a media type is JSON (RFC 6839 for the suffix); its parameters say nothing."""
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )
