"""Google's emulator of Pub/Sub, as the Google Cloud CLI brings it, on loopback only. It is run by the machine's Java.

It keeps everything in memory, knows no users, applies no filter and cannot seek. Whatever it loses is published again
out of the outboxes (docs/explanation/guarantees.md).
"""

import functools
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local.engines.gcloud import QUIET, answering, folders, java
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file, require_platform
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.process import Command, base_environment

PLACE = "SHOAL_PUBSUB"
"""Variable that names the emulator's folder, where no ``gcloud`` leads to it."""

_PACKAGE = "google-cloud-cli-pubsub-emulator"
_INSTALL = f"`gcloud components install pubsub-emulator`, or Google's package {_PACKAGE}"
_COMPONENT = "pubsub-emulator"
_WHAT = "Google's emulator of Pub/Sub"
_JAR = "lib/cloud-pubsub-emulator-*-all.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class PubsubOptions:
    """A server.

    Args:
        directory: Where it runs.
        port: Where it listens, on loopback.
        name: What messages call it.
    """

    directory: Path
    port: int
    name: str = "pubsub"


def recipe(options: PubsubOptions) -> Recipe:
    """Describe how to run a server; its address is ``pubsub``, a URL without a project."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked=f"GET http://{LOOPBACK}:{options.port}/",
    )


def locate() -> Path:
    """Return the path of the emulator's archive; raises `HostError`."""
    require_platform()
    found = [path for folder in folders(PLACE, _COMPONENT) for path in sorted(folder.glob(_JAR))]
    if not found:
        hint = f"{_INSTALL}; {PLACE} names its folder where no gcloud is on the path"
        raise HostError(f"{_WHAT} is not installed", hint=hint)
    java(_WHAT)
    return found[-1]


def version() -> str:
    """Read the version out of the archive's name; empty when there is none."""
    try:
        found = re.search(r"-(\d[\d.]*)-all", locate().name)
    except HostError:
        return ""
    return found[1] if found else ""


KIND = EngineKind(
    name="pubsub", distribution=_PACKAGE, purpose="broker of events for --engine broker=pubsub", locate=locate,
    needed=False, look=version,
)  # fmt: skip


async def prepare(options: PubsubOptions) -> Command:
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
            java(_WHAT), f"-Djava.util.logging.config.file={quiet}", "-XX:+UseSerialGC",
            "-jar", str(server), f"--host={LOOPBACK}", f"--port={options.port}",
        ),
        cwd=folder,
        env=base_environment(),
        stop_signal=signal.SIGKILL,  # it has nothing to put in order
    )  # fmt: skip


async def probe(options: PubsubOptions) -> Addresses:
    """Wait until it says that it is well."""
    await answering(options.port)
    return {"pubsub": f"http://{LOOPBACK}:{options.port}"}
