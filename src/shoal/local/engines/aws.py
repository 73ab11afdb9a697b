"""A server that speaks Amazon's interfaces: MiniStack, out of an environment of its own, on loopback only.

One process answers for DynamoDB, SNS, SQS and the others of a run. It pins the version of Amazon's client, which the
services use as well, so it is never installed beside them: ``make .venv-aws`` makes the environment that it is
run from. It is asked with keys and looks at none of them. What DynamoDB acknowledged is on the disk, by a journal of
ours that runs inside (`emulated/shoal_journal.py`); everything else is in memory, and lost with the process.
"""

import functools
import importlib.metadata
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, require_platform
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment
from shoal.local.urls import AWS_REGION

PLACE = "SHOAL_AWS"
"""Variable that names the folder of the environment, where it is not beside the one that runs."""

_DISTRIBUTION = "ministack"
_VERSION = "1.5.33"
_FOLDER = ".venv-aws"
_OURS = Path(__file__).parent.parent / "emulated"
_HEALTH = "/_ministack/health"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions:
    """A server.

    Args:
        directory: Where it runs.
        port: Where it listens, on loopback.
        name: What messages call it.
    """

    directory: Path
    port: int
    name: str = "aws"


def recipe(options: AwsOptions) -> Recipe:
    """Describe how to run a server; its address is ``aws``, the URL that clients take as their endpoint."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked=f"GET http://{LOOPBACK}:{options.port}{_HEALTH}",
    )


def home() -> Path:
    """Return the folder of the environment that it is run from."""
    return Path(os.environ.get(PLACE) or Path(sys.prefix).parent / _FOLDER)


def locate() -> Path:
    """Return the path of the program that serves it; raises `HostError`."""
    require_platform()
    program = home() / "bin" / "hypercorn"
    if not version() or not program.is_file():
        make = f"python3 -m venv {home()} && {home()}/bin/pip install {_DISTRIBUTION}=={_VERSION}"
        raise HostError(
            f"the package {_DISTRIBUTION} is not installed in {home()}",
            hint=f"in a checkout `make {_FOLDER}`, else {make} (or set {PLACE} to where it is)",
        )
    return program


def version() -> str:
    """Return the version that is installed there; empty when none is."""
    places = [str(place) for place in home().glob("lib/python*/site-packages")]
    found = importlib.metadata.distributions(name=_DISTRIBUTION, path=places)
    return next((one.version for one in found), "")


KIND = EngineKind(
    name="aws",
    distribution=_DISTRIBUTION,
    purpose="Amazon's interfaces for --engine SERVICE.store=dynamodb, broker=sns",
    locate=locate,
    needed=False,
    look=version,
)


async def prepare(options: AwsOptions) -> Command:
    """Return the command.

    Raises:
        HostError: Missing environment or busy port.
    """
    server = locate()
    check_port(options.port)
    private_directory(options.directory)
    own = {
        "GATEWAY_PORT": str(options.port), "MINISTACK_HOST": LOOPBACK, "MINISTACK_REGION": AWS_REGION,
        "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",  # they would listen on every interface
        "DOCKER_HOST": f"unix://{options.directory / 'no-docker'}",  # it would tidy up the user's containers
        "STATE_DIR": str(options.directory / "state"), "S3_DATA_DIR": str(options.directory / "s3"),
        "LOG_LEVEL": "WARNING", "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(_OURS), "SHOAL_JOURNAL": str(options.directory / "dynamodb"),
    }  # fmt: skip
    return Command(
        name=options.name,
        argv=(
            str(server), "shoal_journal:app", "--bind", f"{LOOPBACK}:{options.port}", "--workers", "0",
            "--log-level", "WARNING", "--graceful-timeout", "1", "--keep-alive", "60",
        ),
        cwd=options.directory,
        env=base_environment(own),
        stop_after=5.0,
    )  # fmt: skip


async def probe(options: AwsOptions) -> Addresses:
    """Wait until it says that it is well."""
    await ready(options.port, _HEALTH)
    return {"aws": f"http://{LOOPBACK}:{options.port}"}
