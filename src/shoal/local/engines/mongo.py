"""A server that speaks MongoDB's protocol: SecantusDB, which is installed and run apart from Shoal (GPL-2.0).

It listens on loopback, asks everybody for a password, and acknowledges what is on the disk. Its first start, on a port
that nobody knows, makes the operator; from then on nobody comes in without a password.
"""

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

from shoal.errors import EngineError, Unavailable
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.environment import mongo_url
from shoal.local.host import private_directory, private_file, require_space
from shoal.local.ports import LOOPBACK, check_port, free_port
from shoal.local.probe import until
from shoal.local.process import Command, base_environment
from shoal.local.process import start as start_process
from shoal.local.secrets import OPERATOR

_DISTRIBUTION = "secantusdb"
_NEEDED_MIB = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoOptions:
    """A server.

    Args:
        directory: Its configuration and its data.
        port: Where it listens, on loopback.
        password: The operator's.
        name: What messages call it.
    """

    directory: Path
    port: int
    password: str = field(repr=False)
    name: str = "mongo"


def recipe(options: MongoOptions) -> Recipe:
    """Describe how to run a server; its one address is ``mongo``, a URL without password."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        ready_within=60.0,
    )


def locate() -> Path:
    """Return the path of the server."""
    return program(_DISTRIBUTION, "secantusd-py")


KIND = EngineKind(
    name="mongo", distribution=_DISTRIBUTION, purpose="documents for --engine SERVICE.store=mongo", locate=locate,
    needed=False,
)  # fmt: skip


async def prepare(options: MongoOptions) -> Command:
    """Make the operator if there is none, and return the command.

    Raises:
        HostError: Missing package or full disk.
        EngineError: The server does not start.
    """
    locate()
    check_port(options.port)
    require_space(options.directory, _NEEDED_MIB)
    private_directory(options.directory)
    if not _crowned(options).exists():
        await _crown(options)
    return _command(options, "--auth")


async def probe(options: MongoOptions) -> Addresses:
    """Wait until it answers the operator.

    Raises:
        EngineError: It refuses the operator.
    """
    url = mongo_url(options.port, OPERATOR, options.password, "admin")
    await until(functools.partial(_answers, url))
    return {"mongo": f"mongodb://{LOOPBACK}:{options.port}"}


async def _answers(url: str) -> bool | None:
    from shoal.drivers.mongo.engine import command  # noqa: PLC0415 - the client takes 0.3 s to import

    try:
        await command(url, "admin", {"ping": 1})
    except Unavailable:
        return None
    return True


async def _crown(options: MongoOptions) -> None:
    from shoal.drivers.mongo.admin import crown  # noqa: PLC0415 - as above

    opening = replace(options, port=free_port())
    said: list[str] = []
    process = await start_process(_command(opening), said.append)
    try:
        url = f"mongodb://{LOOPBACK}:{opening.port}/admin?directConnection=true"
        await until(functools.partial(_answers, url))
        await crown(url, options.password)
        private_file(_crowned(options), "")
    except EngineError as error:
        raise EngineError(f"{options.name} could not be set up: {error.message}; {' '.join(said[-3:])}") from error
    finally:
        await process.stop()


def _command(options: MongoOptions, *more: str) -> Command:
    settings = private_file(options.directory / "settings.toml", "")  # or it would look for one at home
    data = private_directory(options.directory / "data")
    where = ("--host", LOOPBACK, "--port", str(options.port), "--storage-path", str(data))
    return Command(
        name=options.name,
        argv=(str(locate()), "--config", str(settings), *where, "--sync-on-commit", "--log-level", "WARNING", *more),
        cwd=options.directory,
        env=base_environment(),
    )


def _crowned(options: MongoOptions) -> Path:
    return options.directory / "crowned"
