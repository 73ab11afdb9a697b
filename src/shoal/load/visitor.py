"""`Visitor`: what a journey is handed to use the system with."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from shoal.load.answer import Answer
from shoal.load.think import Think
from shoal.service import codec

T = TypeVar("T")


class Way(Protocol):
    """Carries a visitor's requests and knows his time."""

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, expect: Sequence[int]
    ) -> Answer:
        """Send one request that is due now, and measure it; raises `Left`."""
        ...

    async def wait(self, seconds: float) -> None:
        """Let the next request be due so much later."""
        ...


Tokens = Callable[[str, Sequence[str], Mapping[str, Any]], str]
"""Subject, roles and claims to a token."""


class Visitor(Generic[T]):
    """Somebody who uses the system: keeps cookies, may sign in, thinks.

    Each request raises `Left` when it is refused or fails, unless its status was expected.
    """

    def __init__(self, way: Way, *, data: T, name: str, random: Random, think: Think, tokens: Tokens) -> None:
        self.data = data
        """What `Load(prepare=...)` found out."""
        self.name = name
        """Unlike that of any other visitor, of any run: good for an e-mail address or a key."""
        self.random = random
        """Chance that the seed of the run decides."""
        self.bearer = ""
        """The token that requests carry; empty for nobody's."""
        self._way, self._think, self._tokens = way, think, tokens
        self._cookies: dict[tuple[str, str], str] = {}

    def token(self, subject: str, *, roles: Sequence[str] = (), **claims: Any) -> str:
        """Sign a token as ``shoal token`` does."""
        return self._tokens(subject, roles, claims)

    async def think(self, think: Think | None = None) -> None:
        """Think, as the journey says or for another time."""
        await self._way.wait((think or self._think).draw(self.random))

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, expect: Sequence[int] = ()) -> Answer:
        """Send ``GET path``."""
        return await self.request("GET", path, headers=headers, expect=expect)

    async def post(
        self, path: str, *, json: object = None, headers: Mapping[str, str] | None = None, expect: Sequence[int] = ()
    ) -> Answer:
        """Send ``POST path``."""
        return await self.request("POST", path, json=json, headers=headers, expect=expect)

    async def put(
        self, path: str, *, json: object = None, headers: Mapping[str, str] | None = None, expect: Sequence[int] = ()
    ) -> Answer:
        """Send ``PUT path``."""
        return await self.request("PUT", path, json=json, headers=headers, expect=expect)

    async def patch(
        self, path: str, *, json: object = None, headers: Mapping[str, str] | None = None, expect: Sequence[int] = ()
    ) -> Answer:
        """Send ``PATCH path``."""
        return await self.request("PATCH", path, json=json, headers=headers, expect=expect)

    async def delete(
        self, path: str, *, headers: Mapping[str, str] | None = None, expect: Sequence[int] = ()
    ) -> Answer:
        """Send ``DELETE path``."""
        return await self.request("DELETE", path, headers=headers, expect=expect)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        expect: Sequence[int] = (),
    ) -> Answer:
        """Send a request.

        Args:
            method: In capitals.
            path: With its query, quoted (`urllib.parse.quote`).
            json: The body: anything that is JSON, or a model.
            headers: By name; those of a token, of cookies and of the body are added.
            expect: Statuses from 400 on that are no failure here.

        Raises:
            Left: It was refused or failed; a journey that lets it pass ends there.
        """
        sent = {k.lower(): v for k, v in (headers or {}).items()}
        if self.bearer:
            sent.setdefault("authorization", f"Bearer {self.bearer}")
        if cookies := self._cookies_for(path):
            sent.setdefault("cookie", cookies)
        body = b""
        if json is not None:
            body = codec.encode(json)
            sent.setdefault("content-type", "application/json")
        answer = await self._way.ask(method, path, sent, body, expect)
        self._keep(answer.headers.get("set-cookie", ""))
        return answer

    def _cookies_for(self, path: str) -> str:
        found = [f"{name}={value}" for (name, place), value in self._cookies.items() if path.startswith(place)]
        return "; ".join(found)

    def _keep(self, lines: str) -> None:
        """Keep cookies (RFC 6265); there is one host, and a visit is too short for anything to expire by itself."""
        for line in filter(None, lines.split("\n")):
            pair, *attributes = (part.strip() for part in line.split(";"))
            said = {k.lower(): v for k, _, v in (attribute.partition("=") for attribute in attributes)}
            name, _, value = pair.partition("=")
            place = name.strip(), said.get("path", "/")
            if said.get("max-age") == "0":
                self._cookies.pop(place, None)
            else:
                self._cookies[place] = value.strip()
