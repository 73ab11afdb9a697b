"""Asks a key service of a cloud by its REST interface, in our name, and tells what its refusals mean."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.keyring import Busy
from shoal.drivers.base.rest import Reply, Rest
from shoal.errors import EngineError, Unavailable

_UNAUTHORIZED, _TOO_MANY = 401, 429
_JSON = {"content-type": "application/json", "accept": "application/json"}


class KeyService:
    """Asks once; who may ask again knows that of itself.

    Args:
        product: What it is called.
        rest: Asks.
        bearer: Says who we are.
        hints: What to do about a refusal, by its status.
    """

    def __init__(self, product: str, rest: Rest, bearer: Bearer, hints: Mapping[int, str]) -> None:
        self._product, self._rest, self._bearer, self._hints = product, rest, bearer, hints

    async def ask(self, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
        """Return the object that is answered.

        Raises:
            Busy: Nothing was done, since it is asked too much.
            Unavailable: Trying again may help.
            EngineError: It refuses.
        """
        data = b"" if body is None else msgspec.json.encode(body)
        reply = await self._rest.ask(method, url, {**_JSON, **await self._bearer.headers()}, data)
        found = reply.read()
        if reply.status == 200 and isinstance(found, dict):
            return found
        raise self._meaning(f"{method} {url}", reply, found)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._rest.close()

    def _meaning(self, what: str, reply: Reply, found: object) -> EngineError:
        """Understand a refusal; Google has its word in ``status``, Azure in ``code``."""
        error = found.get("error") if isinstance(found, dict) else None
        code = error.get("status") or error.get("code", "") if isinstance(error, dict) else ""
        said = f"{self._product} refused {what}: {reply.status} {code}".rstrip()
        hint = self._hints.get(reply.status, "")
        if reply.status == _TOO_MANY:
            return Busy(said, hint=hint)
        if reply.status == _UNAUTHORIZED:
            self._bearer.forget()
            return Unavailable(said, hint=hint)
        if reply.status >= 500 or reply.status == 200:
            return Unavailable(said, hint="try again")
        return EngineError(said, hint=hint)
