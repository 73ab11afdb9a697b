"""An endpoint whose requests are recorded: with the change they make, or after it was refused."""

import asyncio
import logging
import re

from shoal.drivers.base import Session
from shoal.errors import EngineError
from shoal.model.service import path_parameters
from shoal.runtime import idempotency
from shoal.runtime.commands.entries import COMMANDS, Entry, identifier, to_row
from shoal.runtime.endpoint import Endpoint, Surroundings
from shoal.runtime.forwarded import VOUCHED
from shoal.runtime.metrics.registry import Series
from shoal.runtime.problems import problem_of
from shoal.runtime.request import Receive, Request, Response
from shoal.service.declare import EndpointDeclaration
from shoal.service.signature import Signature

_log = logging.getLogger("shoal.commands")

PATIENCE = 1.0
"""Seconds that the note of a refusal may take: its answer waits for it."""

MASK = "***"

_CALLER = re.compile(r"URI=spiffe://[^/;,]+/(?:ns/[^/;,]+/sa/)?([^/;,]+)")
"""Who calls: our own identities end in a service's name, those of Istio in that of its service account."""


class AuditedEndpoint(Endpoint):
    """Serves one operation, and records who asked for it."""

    def __init__(
        self,
        declared: EndpointDeclaration,
        signature: Signature,
        around: Surroundings,
        series: Series,
        hidden: frozenset[str],
    ) -> None:
        super().__init__(declared, signature, around, series)
        self._hidden = hidden
        """Parameters of the path that are personal."""
        self._named = path_parameters(self.operation.path)

    async def serve(self, request: Request, receive: Receive) -> Response:
        """Answer a request; of failures, those of callers who are known are recorded."""
        try:
            response = await super().serve(request, receive)
        except Exception as error:
            if request.principal is not None or self.operation.access.kind != "principal":
                problem = problem_of(error)
                await self._note(self._entry(request, problem.status, problem.code))
            raise
        if not self._transactional:
            await self._note(self._entry(request, response.status))
        return response

    def _record(self, request: Request, session: Session, receipt: tuple[str, str] | None, response: Response) -> None:
        super()._record(request, session, receipt, response)
        session.insert(COMMANDS.table, to_row(self._entry(request, response.status)))

    async def _note(self, entry: Entry) -> None:
        """Record what has no transaction to be recorded with; where that fails, the log says it."""
        store = self._around.store
        try:
            if store is None:
                raise RuntimeError("unreachable: checked when the endpoint was compiled")
            async with asyncio.timeout(PATIENCE), store.session() as session:
                session.insert(COMMANDS.table, to_row(entry))
        except (EngineError, TimeoutError) as error:
            why = str(error) or f"it took longer than {PATIENCE:g} s"
            _log.error(
                "%s by %s (%d) is not in the log: %s", entry.operation, entry.subject or "anyone", entry.status, why
            )

    def _entry(self, request: Request, status: int, problem: str = "") -> Entry:
        now, principal = self._around.announcer.clock.now(), request.principal
        values = zip(self._named, request.path_values, strict=True)
        key = request.headers.get(idempotency.HEADER, b"") if self.operation.idempotent else b""
        callers = _CALLER.findall(request.headers.get(VOUCHED, b"").decode("latin-1"))
        return Entry(
            id=identifier(now),
            at=now,
            operation=self.operation.name,
            path={name: MASK if name in self._hidden else _storable(value) for name, value in values},
            subject=principal.subject if principal else "",
            issuer=principal.issuer if principal else "",
            roles=tuple(sorted(principal.roles)) if principal else (),
            idempotency_key=key.decode("latin-1"),
            trace_id=request.context.trace.trace_id,
            caller=callers[-1] if callers else "",
            status=status,
            problem=problem,
        )


def _storable(value: str) -> str:
    """Spell what some engine would refuse to store: nobody keeps a refusal off the record by such a character."""
    return value.encode(errors="backslashreplace").decode().replace("\0", r"\x00")
