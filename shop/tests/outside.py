"""The sandbox of the payment provider, as a process of its own."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """A running sandbox."""

    url: str

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send JSON, and read JSON."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def behave(self, **behaviour: object) -> None:
        """Make it misbehave, or behave again."""
        status, said = self.request("POST", "/_sandbox/behaviour", behaviour)
        assert status == 200, said

    def ledger(self) -> Any:
        """Read what it counted."""
        return self.request("GET", "/_sandbox/ledger")[1]


@contextmanager
def running_sandbox(state: Path) -> Iterator[Sandbox]:
    """Run the sandbox; its first line of output says where it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shop.sandboxes.payment_provider"],
        env={**os.environ, "PORT": "0", "STATE": str(state), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Sandbox(url=process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0, "it ends in good order when it is told to"
