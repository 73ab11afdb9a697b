"""The registry of a local run: every service with its replicas, addresses and health, over HTTP on loopback."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from shoal.errors import HostError
from shoal.local.ports import LOOPBACK
from shoal.local.state import ProcessState
from shoal.model.listing import DOMAIN, Directory, Health, Instance, Listing, host_of
from shoal.model.plan import Plan, ServicePlan

_LARGEST, _PATIENCE = 16 * 1024, 5.0
"""Bytes of a request's head, and seconds that one may take."""

MAX_AGE = 2
"""Seconds for which an answer may be kept."""

_HOSTS = frozenset({LOOPBACK, "localhost", f"registry.{DOMAIN}"})
"""Names by which it is asked; another one is a page in a browser that pretends to be us (DNS rebinding)."""


class Register:
    """Keeps the time at which each replica, and each service, came to its present state."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._since: dict[str, tuple[object, str]] = {}

    def directory(
        self, plan: Plan, processes: tuple[ProcessState, ...], outbound: Mapping[str, str], gateway: str
    ) -> Directory:
        """List every service of the plan; `outbound` says where each sends its calls."""
        exposed = {route.service for route in plan.routes}
        listed = []
        for service in plan.services:
            replicas = tuple(self._instance(p) for p in processes if _runs(p, service.name))
            url = gateway if service.name in exposed else ""
            listed.append(self._listing(plan, service, replicas, url, outbound.get(service.name, "")))
        return Directory(system=plan.system.name, services=tuple(listed))

    def _listing(
        self, plan: Plan, service: ServicePlan, replicas: tuple[Instance, ...], url: str, outbound: str
    ) -> Listing:
        declared, health = plan.system.service(service.name), _health(replicas)
        return Listing(
            name=service.name,
            host=host_of(service.name),
            health=health,
            since=self._noted(f"service {service.name}", health),
            version=declared.version,
            summary=declared.summary,
            identity=service.identity,
            url=url,
            outbound=outbound,
            calls=tuple(sorted({call.service for call in service.calls})),
            replicas=replicas,
        )

    def _instance(self, process: ProcessState) -> Instance:
        return Instance(
            name=process.name,
            status=process.status,
            since=self._noted(f"replica {process.name}", (process.status, process.pid)),
            address=process.address,
            pid=process.pid,
            restarts=process.restarts,
        )

    def _noted(self, name: str, state: object) -> str:
        known = self._since.get(name)
        if known is None or known[0] != state:
            known = self._since[name] = (state, self._now().isoformat(timespec="milliseconds"))
        return known[1]


def _runs(process: ProcessState, service: str) -> bool:
    """Say whether a process is one of a service's; one that is of no service runs them all."""
    return process.kind == "service" and process.service in (service, "")


def _health(replicas: tuple[Instance, ...]) -> Health:
    ready = sum(replica.status == "ready" for replica in replicas)
    return "down" if not ready else "up" if ready == len(replicas) else "degraded"


class RegistryServer:
    """Answers ``GET /services``, ``GET /services/NAME`` and ``GET /health``; nothing can be changed through it."""

    def __init__(self, look: Callable[[], Directory]) -> None:
        self._look = look
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> str:
        """Listen on loopback; return the base URL.

        Raises:
            HostError: Somebody else listens there.
        """
        try:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, port, limit=_LARGEST)
        except OSError as error:
            raise HostError(
                f"the registry cannot listen on port {port}: {error.strerror or error}", hint="start it again"
            ) from error
        return f"http://{LOOPBACK}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head.decode("latin-1")))
                    await writer.drain()
        finally:
            writer.close()

    def _answer(self, head: str) -> bytes:
        first, *lines = head.split("\r\n")
        headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
        method, _, rest = first.partition(" ")
        target = rest.partition(" ")[0]
        if headers.get("host", "").partition(":")[0].lower() not in _HOSTS:
            return _reply(HTTPStatus.MISDIRECTED_REQUEST, _problem(421, "not a host of the registry"))
        if method not in ("GET", "HEAD"):
            return _reply(HTTPStatus.METHOD_NOT_ALLOWED, _problem(405, "only GET"), {"allow": "GET, HEAD"})
        return self._found(target.partition("?")[0], headers.get("if-none-match", ""), body=method == "GET")

    def _found(self, path: str, known: str, *, body: bool) -> bytes:
        directory = self._look()
        document: object = directory if path == "/services" else None
        name = path.removeprefix("/services/")
        if name != path:
            document = next((s for s in directory.services if name in (s.name, s.host)), None)
        elif path == "/health":
            document = {"status": "alive", "system": directory.system}
        if document is None:
            return _reply(HTTPStatus.NOT_FOUND, _problem(404, f"there is nothing at {path}"))
        text = msgspec.json.encode(document)
        kept = {"etag": f'"{hashlib.sha256(text).hexdigest()[:16]}"', "cache-control": f"max-age={MAX_AGE}"}
        if known == kept["etag"]:
            return _reply(HTTPStatus.NOT_MODIFIED, b"", kept)
        return _reply(HTTPStatus.OK, text, kept, body=body)


def _problem(status: int, detail: str) -> bytes:
    return msgspec.json.encode({"type": "about:blank", "status": status, "detail": detail})


def _reply(status: HTTPStatus, text: bytes, headers: Mapping[str, str] | None = None, *, body: bool = True) -> bytes:
    kind = "application/problem+json" if status >= HTTPStatus.BAD_REQUEST else "application/json"
    said = {"content-type": kind, "content-length": str(len(text)), "connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1") + (text if body else b"")
