"""A server that speaks MongoDB's protocol: SecantusDB, which is installed and run apart from Shoal (GPL-2.0).

It listens on loopback, asks everybody for a password, and acknowledges what is on the disk. It can be given a first
user only while it asks nobody; that happens beside the data, on another port and for a moment, and what comes of it
becomes the data only if the operator is the only one who was made.
"""

import functools
import shutil
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

from shoal.errors import Unavailable
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program, start
from shoal.local.host import private_directory, private_file, require_space
from shoal.local.ports import LOOPBACK, check_port, free_port
from shoal.local.probe import until
from shoal.local.process import Command, base_environment
from shoal.local.secrets import OPERATOR
from shoal.local.urls import mongo_url

_DISTRIBUTION = "secantusdb"
_NEEDED_MIB = 128
_OPENING = "opening-"


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
    return program(_DISTRIBUTION, "secantusd-py", install="pip install 'shoal[local-mongo]'")


KIND = EngineKind(
    name="mongo", distribution=_DISTRIBUTION, purpose="documents for --engine SERVICE.store=mongo", locate=locate,
    needed=False,
)  # fmt: skip


async def prepare(options: MongoOptions) -> Command:
    """Make the data with its operator if there is none, and return the command.

    Raises:
        HostError: Missing package, busy port or full disk.
        EngineError: The server does not start.
    """
    locate()
    check_port(options.port)
    require_space(options.directory, _NEEDED_MIB)
    private_directory(options.directory)
    if not _data(options).exists():
        await _crown(options)
    return _command(options, _data(options), "--auth")


async def probe(options: MongoOptions) -> Addresses:
    """Wait until it answers the operator.

    Raises:
        EngineError: It refuses the operator.
    """
    url = mongo_url(options.port, OPERATOR, options.password, "admin")
    await until(functools.partial(_answers, url))
    return {"mongo": f"mongodb://{LOOPBACK}:{options.port}"}


async def _answers(url: str) -> bool | None:
    from shoal.drivers.mongo.client import command  # noqa: PLC0415 - the client takes 0.3 s to import

    try:
        await command(url, "admin", {"ping": 1})
    except Unavailable:
        return None
    return True


async def _crown(options: MongoOptions) -> None:
    """Make the operator in a folder that becomes the data once nobody else got in; one left behind is worth nothing."""
    from shoal.drivers.mongo.admin import crown  # noqa: PLC0415 - as above

    for left in options.directory.glob(f"{_OPENING}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = private_directory(options.directory / f"{_OPENING}{uuid.uuid4().hex}")
    opening = replace(options, port=free_port(), name=f"{options.name} (first start)")
    url = f"mongodb://{LOOPBACK}:{opening.port}/admin?directConnection=true"

    async def begin() -> Command:
        return _command(opening, folder)

    async def answers() -> Addresses:
        await until(functools.partial(_answers, url))
        return {}

    running = await start(Recipe(name=opening.name, prepare=begin, probe=answers), on_line=lambda _: None)
    try:
        await crown(url, options.password)
    finally:
        await running.process.stop()
    folder.rename(_data(options))


def _command(options: MongoOptions, data: Path, *more: str) -> Command:
    settings = private_file(options.directory / "settings.toml", "")  # or it would look for one at home
    where = ("--host", LOOPBACK, "--port", str(options.port), "--storage-path", str(data))
    return Command(
        name=options.name,
        argv=(str(locate()), "--config", str(settings), *where, "--sync-on-commit", "--log-level", "WARNING", *more),
        cwd=options.directory,
        env=base_environment(),
    )


def _data(options: MongoOptions) -> Path:
    return options.directory / "data"
