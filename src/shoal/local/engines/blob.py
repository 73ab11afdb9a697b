"""Azurite, Microsoft's emulator of Azure's storage, as npm brings it, on loopback only. The machine's Node.js runs it.

Each service has an account with a key of its own. Of what it keeps, contents are in files at once and names a few
seconds later: a kill loses what is younger.
"""

import functools
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from shoal.errors import HostError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, require_platform, require_space
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import connect, until
from shoal.local.process import Command, base_environment

PLACE = "SHOAL_AZURITE"
"""Variable that names the emulator's program, where it is not on the path."""

_PACKAGE, _PROGRAM = "azurite", "azurite-blob"
_INSTALL = f"`npm install --global {_PACKAGE}`; {PLACE} names the program {_PROGRAM} where it is not on the path"
_NEEDED_MIB = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAccount:
    """An account, and its key in base64."""

    name: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobOptions:
    """A server.

    Args:
        directory: Where it keeps its data.
        port: Where it listens, on loopback.
        accounts: Who may enter.
        certificate: Files of a certificate and its key, with which it speaks TLS and believes any token.
        name: What messages call it.
    """

    directory: Path
    port: int
    accounts: tuple[BlobAccount, ...]
    certificate: tuple[Path, Path] | None = None
    name: str = "blob"


def recipe(options: BlobOptions) -> Recipe:
    """Describe how to run a server; its address is ``blob``, a URL without an account."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked="to answer on its port",
    )


def locate() -> Path:
    """Return the path of the emulator's program; raises `HostError`."""
    require_platform()
    found = os.environ.get(PLACE, "") or shutil.which(_PROGRAM) or ""
    if not Path(found).is_file():
        raise HostError("Azurite is not installed", hint=_INSTALL)
    _node()
    return Path(found).resolve()


def version() -> str:
    """Read the version out of the package around the program; empty when it does not say."""
    for folder in locate().parents:
        try:
            said = json.loads((folder / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        return str(said.get("version", "")) if said.get("name") == _PACKAGE else ""
    return ""


KIND = EngineKind(
    name="blob", distribution=_PACKAGE, purpose="objects for --engine SERVICE.objects=blob", locate=locate,
    needed=False, look=version,
)  # fmt: skip


async def prepare(options: BlobOptions) -> Command:
    """Return the command.

    Raises:
        HostError: No emulator, no Node.js, busy port or full disk.
    """
    server, node = locate(), _node()
    check_port(options.port)
    require_space(options.directory, _NEEDED_MIB)
    folder = private_directory(options.directory)
    data = private_directory(folder / "data")
    accounts = ";".join(f"{account.name}:{account.key}" for account in options.accounts)
    return Command(
        name=options.name,
        argv=(
            node, str(server), "--blobHost", LOOPBACK, "--blobPort", str(options.port), "--location", str(data),
            "--silent", "--disableTelemetry", *_tls(options),
        ),
        cwd=folder,
        env=base_environment({"AZURITE_ACCOUNTS": accounts, "HOME": str(folder)}),
        stop_after=5.0,
    )  # fmt: skip


async def probe(options: BlobOptions) -> Addresses:
    """Wait until it answers."""

    async def answering() -> bool | None:
        return await _open(options.port) or None

    await until(answering)
    return {"blob": f"{'https' if options.certificate else 'http'}://{LOOPBACK}:{options.port}"}


async def _open(port: int) -> bool:
    """Tell whether it listens, which it begins once it has read what it keeps; it may speak TLS."""
    _, writer = await connect(port)
    writer.transport.abort()
    return True


def _node() -> str:
    program = shutil.which("node")
    if program is None:
        raise HostError("Azurite needs Node.js", hint="install a Node.js of version 18 or newer")
    return program


def _tls(options: BlobOptions) -> tuple[str, ...]:
    if options.certificate is None:
        return ()
    certificate, key = options.certificate
    return "--cert", str(certificate), "--key", str(key), "--oauth", "basic"
