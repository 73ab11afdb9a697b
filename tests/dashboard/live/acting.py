"""Asks the dashboard of a running system as a page does that came with the link."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from shoal.dashboard.server.gate import Gate
from shoal.testing import LiveSystem
from shoal.testing.live import send


class Pages:
    """The owner's browser."""

    def __init__(self, live: LiveSystem) -> None:
        self.url = live.process("dashboard").address
        gate = Gate((live.root / ".shoal" / "secrets" / "dashboard").read_text("utf-8").strip())
        cookie = gate.cookie({"host": urlsplit(self.url).netloc}).partition(";")[0]
        self._headers, self._action = {"cookie": cookie}, {"x-shoal-token": gate.action}

    async def get(self, path: str, status: int = 200) -> Any:
        """Ask."""
        return await self._ask("GET", path, self._headers, b"", status)

    async def post(self, path: str, body: object = None, status: int = 200) -> Any:
        """Change something."""
        return await self._ask("POST", path, self._headers | self._action, json.dumps(body or {}).encode(), status)

    async def without_token(self, path: str, body: object = None) -> Any:
        """Try to change something with the cookie alone, as a page elsewhere would."""
        return await self._ask("POST", path, self._headers, json.dumps(body or {}).encode(), 403)

    async def until(self, path: str, wanted: Callable[[Any], Any], within: float = 30.0) -> Any:
        """Ask again until the answer has what is wanted; return that."""
        end = time.monotonic() + within
        while not (found := wanted(answer := await self.get(path))):
            assert time.monotonic() < end, f"{path} still says {str(answer)[:2000]}"
            await asyncio.sleep(0.2)
        return found

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes, status: int) -> Any:
        answer = await asyncio.to_thread(send, self.url, method, path, headers, body)
        assert answer.status == status, (path, answer.status, answer.body)
        return answer.json() if "json" in answer.headers["content-type"] else answer.body.decode()
