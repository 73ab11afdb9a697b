"""Calls as services make them: by their own proxy, or with what they can show at another's door."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shoal.mesh.certificates import Credential, authority, identity
from shoal.mesh.layout import Pipe
from tests.conformance.edge.runner import Reply
from tests.conformance.mesh.table import Row
from tests.mesh.wire import ask
from tests.mesh.world import client, issuance


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How a mesh is called."""

    root: Credential
    name: Callable[[str], str]
    """Service or ``gateway`` → its identity."""
    out: Callable[[Row], Pipe | None]
    """Where the caller's application calls; None where only its certificate gets it anywhere."""
    door: Callable[[str], Pipe]
    """Where a service is reached."""
    front: Callable[[Row], Awaitable[Reply]]
    """Asks the gateway, from outside."""

    async def call(self, row: Row) -> Reply:
        """Make a call; the gateway's begins outside, unless it comes past it."""
        if row.caller == "gateway" and not row.past:
            return await self.front(row)
        where = None if row.past else self.out(row)
        line, tls = f"{row.method} {row.path}", None if where or row.caller == "plain" else self._shown(row.caller)
        try:
            answer = await ask(where or self.door(row.to), line, host=row.to, headers=row.headers, tls=tls)
        except (EOFError, OSError):
            return Reply(status=0, headers={}, body=b"")
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    def _shown(self, caller: str) -> ssl.SSLContext:
        known = {"nobody": None, "foreign": "till", "expired": "till"}.get(caller, caller)
        root = authority("calls", issuance()) if caller == "foreign" else self.root
        issued = issuance(days=1, ago=2) if caller == "expired" else issuance()
        return client(self.root, None if known is None else identity(root, self.name(known), issued))
