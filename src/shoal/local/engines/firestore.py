"""Google's emulator of Firestore, as the Google Cloud CLI brings it, on loopback only. It is run by the machine's Java.

It keeps everything in memory, knows no users, and answers every query, with an index or without: what a driver may ask
in production is the driver's to know.
"""

import functools
import signal
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local.engines.gcloud import QUIET, answering, folders, java
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file, require_platform
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.process import Command, base_environment

PLACE = "SHOAL_FIRESTORE"
"""Variable that names the emulator's folder, where no ``gcloud`` leads to it."""

_PACKAGE = "google-cloud-cli-firestore-emulator"
_INSTALL = f"`gcloud components install cloud-firestore-emulator`, or Google's package {_PACKAGE}"
_COMPONENT, _JAR = "cloud-firestore-emulator", "cloud-firestore-emulator.jar"
_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_WHAT = "Google's emulator of Firestore"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirestoreOptions:
    """A server.

    Args:
        directory: Where it runs.
        port: Where it listens, on loopback.
        name: What messages call it.
    """

    directory: Path
    port: int
    name: str = "firestore"


def recipe(options: FirestoreOptions) -> Recipe:
    """Describe how to run a server; its address is ``firestore``, a URL without a database."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked=f"GET http://{LOOPBACK}:{options.port}/",
    )


def locate() -> Path:
    """Return the path of the emulator's archive; raises `HostError`."""
    require_platform()
    found = [path for folder in folders(PLACE, _COMPONENT) if (path := folder / _JAR).is_file()]
    if not found:
        hint = f"{_INSTALL}; {PLACE} names its folder where no gcloud is on the path"
        raise HostError(f"{_WHAT} is not installed", hint=hint)
    java(_WHAT)
    return found[0]


def version() -> str:
    """Say nothing: the archive does not."""
    return ""


KIND = EngineKind(
    name="firestore", distribution=_PACKAGE, purpose="documents for --engine SERVICE.store=firestore", locate=locate,
    needed=False, look=version,
)  # fmt: skip


async def prepare(options: FirestoreOptions) -> Command:
    """Return the command.

    Raises:
        HostError: No emulator, no Java or busy port.
    """
    server = locate()
    check_port(options.port)
    folder = private_directory(options.directory)
    quiet = private_file(folder / "logging.properties", QUIET)
    return Command(
        name=options.name,
        argv=(
            java(_WHAT), f"-Djava.util.logging.config.file={quiet}", "-XX:+UseSerialGC", "-cp", str(server), _MAIN,
            f"--host={LOOPBACK}", f"--port={options.port}",
        ),
        cwd=folder,
        env=base_environment(),
        stop_signal=signal.SIGKILL,  # it has nothing to put in order
    )  # fmt: skip


async def probe(options: FirestoreOptions) -> Addresses:
    """Wait until it answers."""
    await answering(options.port)
    return {"firestore": f"http://{LOOPBACK}:{options.port}"}
