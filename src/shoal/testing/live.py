"""A whole system on its real engines, as ``shoal run`` starts it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shoal import audit, tokens
from shoal.audit.standing import opened, site_of
from shoal.errors import HostError, ShoalError
from shoal.local import faults, front
from shoal.local.layout import layout_of
from shoal.local.ports import free_port
from shoal.local.state import ProcessState, RunState, read_state
from shoal.model import plan
from shoal.model.choice import choose
from shoal.model.fault import Fault
from shoal.model.target import LOCAL
from shoal.runtime.load import load
from shoal.service.audit import Operation
from shoal.service.describe import describe
from shoal.service.system import System
from shoal.testing.http import Client, Response

START = 120.0
"""Seconds that a start may take, cold and on a busy machine."""

_ENVIRONMENT_EXIT = 3


class LiveSystem(Client):
    """A running system in processes of its own; `post`, `get` and the rest go through its gateway."""

    def __init__(self, root: Path, declared: System, command: tuple[str, ...], environ: Mapping[str, str]) -> None:
        super().__init__(self._through_gateway)
        self.root = root
        self.declared = declared
        self.plan = plan(system := describe(declared), choose(LOCAL, system, _engines(root)))
        self._command, self._environ = command, environ

    @property
    def state(self) -> RunState:
        """What runs at present."""
        found = read_state(self.root)
        if found is None:
            raise ShoalError(f"nothing runs in {self.root}")
        return found

    def process(self, name: str) -> ProcessState:
        """Find a process by name."""
        return {p.name: p for p in self.state.processes}[name]

    def token(self, subject: str, *, lifetime: float = 3600.0, audience: str = "", **claims: Any) -> str:
        """Sign a token with the run's own key."""
        issuer = self.plan.system.gateway.issuer
        if issuer is None:
            raise ShoalError("the system has no issuer of tokens")
        key = (layout_of(self.root).secrets / "signing-key.json").read_bytes()
        signer = tokens.Signer(key, issuer=issuer.name, audience=audience or issuer.audience)
        return signer.sign(subject, time.time(), lifetime, claims)

    async def audit(
        self,
        *,
        wait: float = 30.0,
        expected: Iterable[tuple[str, str]] = (),
        operations: Iterable[Operation] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> audit.Report:
        """Wait up to `wait` seconds for everything in flight, then check every promise of the system.

        Args:
            wait: Seconds.
            expected: The dead letters that there should be: service, and id of the message.
            operations: What the test's clients did.
            secrets: Further secrets that nobody may find in logs and events, by name.
        """
        async with opened(self.declared, site_of(self.plan, self.root), self.state.urls) as subject:
            told = replace(
                subject,
                expected=frozenset(expected),
                operations=tuple(operations),
                secrets={**subject.secrets, **(secrets or {})},
            )
            return await audit.check(told, wait=wait)

    async def follow(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Response:
        """Ask a URL by which a service lends an object, as a browser does."""
        parts = urlsplit(url)
        base, target = f"{parts.scheme}://{parts.netloc}", f"{parts.path}?{parts.query}"
        return await asyncio.to_thread(send, base, method, target, headers or {}, content)

    @asynccontextmanager
    async def fault(
        self,
        caller: str,
        callee: str,
        *,
        endpoint: str = "",
        delay: float = 0.0,
        abort: int = 0,
        percent: float = 100.0,
    ) -> AsyncIterator[None]:
        """Make calls late or fail for the length of a block.

        Args:
            caller: A service, or ``gateway``.
            callee: Whom it calls.
            endpoint: One operation; every one that the caller may call when empty.
            delay: Seconds by which they are late.
            abort: Status that answers them instead; 0 sends them on.
            percent: Share of the requests that are struck.

        Raises:
            DeclarationError: The caller does not call that.
        """
        fault = Fault(caller=caller, callee=callee, endpoint=endpoint, delay=delay, abort=abort, percent=percent)
        proxies = faults.proxies(layout_of(self.root))
        await faults.add(proxies, self.plan, fault)
        try:
            yield
        finally:
            await faults.clear(proxies, self.plan, fault)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a ``shoal`` command on this system."""
        return _run((*self._command, *arguments), self._environ)

    def stop(self) -> None:
        """Stop it and wait for the end."""
        self.run("stop")

    async def _through_gateway(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        return await asyncio.to_thread(send, self.state, method, target, headers, body)


def send(run: RunState | str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
    """Send one request on a connection of its own, to the gateway of a run or to a base URL."""
    base, authority = (run, "") if isinstance(run, str) else (run.gateway, run.authority)
    connection = front.connection(base, authority, timeout=30)
    try:
        connection.request(method, target, body=body or None, headers=dict(headers))
        answer = connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def start_live(project: Path, entry: str, root: Path, *options: str) -> LiveSystem:
    """Start the system that `project` declares, with its state below `root`; `HostError` where it cannot run."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")])}
    command = (sys.executable, "-m", "shoal.cli", "-C", str(root), "--system", entry)
    sys.path.insert(0, str(project))
    declared = load(entry, System)
    run = (*command, "run", "--detach", "--wait", "--no-reload", "--port", str(free_port()), *options)
    try:
        result = _run(run, environ)
    except BaseException:  # Ctrl-C, or it takes too long: what was begun would outlive the tests
        _run((*command, "stop"), environ)
        raise
    if result.returncode == _ENVIRONMENT_EXIT:
        raise HostError(result.stderr.strip())
    if result.returncode != 0:
        raise ShoalError(f"the system did not start:\n{result.stderr}")
    return LiveSystem(root, declared, command, environ)


def _engines(root: Path) -> tuple[str, ...]:
    """Read which engines were chosen for what runs in a folder."""
    found = read_state(root)
    return () if found is None else found.engines


def _run(command: tuple[str, ...], environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command line, as a list
        command, env=dict(environ), capture_output=True, text=True, timeout=START, check=False, stdin=subprocess.DEVNULL
    )
