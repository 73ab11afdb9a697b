"""RabbitMQ, as the machine's package manager brings it (``apt install rabbitmq-server``), on loopback only.

It is run as an ordinary program beside the service that the package may have started, with nothing of its settings. Its
users and what they may do stand in a file that it reads at every start. Erlang's own port listens on loopback as well,
behind a cookie that is made for each folder, and no ``epmd`` is started to tell others of it.
"""

import asyncio
import base64
import functools
import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoal.errors import HostError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file, require_platform, require_space
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import until
from shoal.local.process import Command, base_environment

VHOST = "shoal"
"""The one virtual host."""

EVENTS, PLACES, DECLARED, PLACE = "shoal.events", "shoal.places", "shoal.declared", "place."
"""Exchanges, the stream of what is declared, and how queues of places begin: names of the driver."""

DOCUMENT = {
    "x-queue-type": "stream",
    "x-max-length-bytes": 16 * 1024 * 1024,
    "x-stream-max-segment-size-bytes": 4 * 1024 * 1024,
}
"""Arguments of that stream, as the driver makes it."""

_PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/sbin/rabbitmq-server")
_INSTALL = "apt install rabbitmq-server, or your system's package of RabbitMQ 3.10 or newer; its service need not run"
_NEEDED_MIB = 256
_NODE = "rabbit@localhost"
_NOTHING = "^$"
_GREETING = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitUser:
    """A user, and what it may use; what is not listed is refused.

    Args:
        name: Who it is.
        password: Its password.
        publish: Subjects that it may publish to; a token may be ``*``.
        streams: Streams that it may read.
        consumers: Consumers whose place it may read and write, as ``STREAM.NAME``.
        operator: Whether it may do everything.
    """

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitOptions:
    """A server.

    Args:
        directory: Its configuration and its data.
        port: For clients.
        erlang_port: For Erlang's distribution, which RabbitMQ does not start without.
        users: Who may connect; nobody else may.
        name: What messages call it.
        disk: Bytes of free disk below which it takes no more messages.
    """

    directory: Path
    port: int
    erlang_port: int
    users: tuple[RabbitUser, ...]
    name: str = "rabbitmq"
    disk: int = 64 * 1024 * 1024


def recipe(options: RabbitOptions) -> Recipe:
    """Describe how to run a server; its address is ``rabbitmq``, a URL without password."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        ready_within=90.0,
        asked="to speak AMQP",
    )


def locate() -> Path:
    """Return the path of the server's script: the one beneath a package's, which insists on a user of its own.

    Raises:
        HostError: It is not installed.
    """
    require_platform()
    found = [path for name in _PROGRAMS if (path := Path(name)).is_file()]
    elsewhere = shutil.which("rabbitmq-server")
    if not found and elsewhere is None:
        raise HostError("RabbitMQ is not installed", hint=_INSTALL)
    return found[0] if found else Path(elsewhere or "")


def _version() -> str:
    """Read the version out of where the script lies; empty when it does not say."""
    found = re.search(r"rabbitmq_server-([0-9.]+)", str(locate().parent.joinpath("rabbitmq-env").resolve()))
    return found[1] if found else ""


KIND = EngineKind(
    name="rabbitmq", distribution="rabbitmq-server", purpose="broker of events for --engine broker=rabbitmq",
    locate=locate, needed=False, look=_version,
)  # fmt: skip


async def prepare(options: RabbitOptions) -> Command:
    """Write the configuration, the users and the cookie, and return the command.

    Raises:
        HostError: No server, busy port or full disk.
    """
    server = locate()
    check_port(options.port)
    check_port(options.erlang_port)
    require_space(options.directory, _NEEDED_MIB)
    folder = private_directory(options.directory)
    home = private_directory(folder / "home")
    if not (home / ".erlang.cookie").exists():
        private_file(home / ".erlang.cookie", secrets.token_hex(24))
    private_file(definitions(options), render(options, _known(options)))
    private_file(folder / "rabbitmq.conf", _settings(options))
    private_file(folder / "plugins", "[].\n")
    private_file(folder / "environment", "")
    return Command(name=options.name, argv=(str(server),), cwd=folder, env=_environment(options), stop_after=20.0)


async def probe(options: RabbitOptions) -> Addresses:
    """Wait until it speaks the protocol, and would know its streams again after a kill."""

    async def answering() -> bool | None:
        return (_settled(options) and await _speaks(options.port)) or None

    await until(answering)
    return {"rabbitmq": f"rabbitmq://{LOOPBACK}:{options.port}/{VHOST}"}


def definitions(options: RabbitOptions) -> Path:
    """Return the path of what the server knows of users."""
    return options.directory / "definitions.json"


def render(options: RabbitOptions, known: tuple[str, ...] = ()) -> str:
    """Write the users and their rights, as the server reads them (``load_definitions``).

    Args:
        options: The server.
        known: Users of an earlier start; those that are no more get neither a password nor a right.
    """
    gone = sorted({*known} - {user.name for user in options.users})
    users = [_user(user.name, _hash(user.password)) for user in options.users] + [_user(name, "") for name in gone]
    rights = [_rights(user) for user in options.users] + [_grant(name) for name in gone]
    topics = [topic for user in options.users if not user.operator for topic in _topics(user)]
    stream = {"name": DECLARED, "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": DOCUMENT}
    document = {
        "vhosts": [{"name": VHOST}],
        "users": users,
        "permissions": rights,
        "topic_permissions": topics,
        "queues": [stream],
    }
    return json.dumps(document, indent=2) + "\n"


def changed(options: RabbitOptions) -> bool:
    """Tell whether the server was started with other users or rights than these."""
    try:
        before = json.loads(definitions(options).read_bytes())
    except (OSError, ValueError):
        return True
    now = json.loads(render(options))
    return any(_named(before, what) != _named(now, what) for what in ("permissions", "topic_permissions"))


def _named(document: dict[str, Any], what: str) -> set[str]:
    nothing = {"configure": _NOTHING, "write": _NOTHING, "read": _NOTHING}
    rows = [row for row in document.get(what, ()) if nothing.items() - row.items()]
    return {json.dumps(row, sort_keys=True) for row in rows}


def _user(name: str, password_hash: str) -> dict[str, Any]:
    algorithm = "rabbit_password_hashing_sha256"
    return {"name": name, "password_hash": password_hash, "hashing_algorithm": algorithm, "tags": []}


def _hash(password: str) -> str:
    """Salt and hash a password (RabbitMQ, "Credentials and passwords")."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _rights(user: RabbitUser) -> dict[str, str]:
    if user.operator:
        return _grant(user.name, configure=".*", write=".*", read=".*")
    read = (*user.streams, DECLARED, *(PLACE + consumer for consumer in user.consumers))
    return _grant(user.name, write=_any(map(re.escape, (EVENTS, PLACES))), read=_any(map(re.escape, read)))


def _grant(name: str, configure: str = _NOTHING, write: str = _NOTHING, read: str = _NOTHING) -> dict[str, str]:
    return {"user": name, "vhost": VHOST, "configure": configure, "write": write, "read": read}


def _topics(user: RabbitUser) -> tuple[dict[str, str], ...]:
    said = {EVENTS: map(_subject, user.publish), PLACES: map(re.escape, user.consumers)}
    return tuple(
        {"user": user.name, "vhost": VHOST, "exchange": exchange, "write": _any(keys), "read": _NOTHING}
        for exchange, keys in said.items()
    )


def _subject(subject: str) -> str:
    """Write a pattern of subjects as a regular expression."""
    return r"\.".join("[^.]+" if word == "*" else re.escape(word) for word in subject.split("."))


def _any(patterns: Iterable[str]) -> str:
    return f"^(?:{'|'.join(sorted(patterns))})$"


def _known(options: RabbitOptions) -> tuple[str, ...]:
    try:
        return tuple(user["name"] for user in json.loads(definitions(options).read_bytes())["users"])
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def _settings(options: RabbitOptions) -> str:
    lines = {
        "listeners.tcp.1": f"{LOOPBACK}:{options.port}",
        "load_definitions": str(definitions(options)),
        "disk_free_limit.absolute": str(options.disk),
        "max_message_size": str(2 * 1024 * 1024),
        "log.console": "true",
        "log.console.level": "warning",
        "log.file": "false",
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def _environment(options: RabbitOptions) -> dict[str, str]:
    """Point everything that a package may have set at the folder; epmd would listen for all."""
    folder = options.directory
    erlang = (
        f"-sname {_NODE} -start_epmd false -erl_epmd_port {options.erlang_port} "
        "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
    )
    return base_environment(
        {
            "HOME": str(folder / "home"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server, so that who kills the one kills the other
            "RABBITMQ_NODENAME": _NODE,
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "expanded"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
            "ERL_CRASH_DUMP_SECONDS": "0",
        }
    )


def _settled(options: RabbitOptions) -> bool:
    """Tell whether it is on the disk that there is a coordinator of streams, and which.

    RabbitMQ 3.10 makes it with the first stream and writes this down half a second later. Killed before, it finds no
    stream ever again. So there is a stream from the beginning, and the server is not ready until this is written.
    """
    folder = options.directory / "data" / _NODE / "coordination" / _NODE
    try:
        members = [entry.name.encode() for entry in folder.iterdir() if entry.is_dir()]
        known, terms = ((folder / name).read_bytes() for name in ("names.dets", "meta.dets"))
    except OSError:
        return False
    return b"rabbit_stream_coordinator" in known and any(member in terms for member in members)


async def _speaks(port: int) -> bool:
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(_GREETING)
                return await reader.readexactly(1) == b"\x01"
            finally:
                writer.transport.abort()
    except (OSError, EOFError, TimeoutError):
        return False
