"""What differs from environment to environment on Google Cloud, as people write it in TOML. Pure data."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.deploy.cloud import settings as cloud
from shoal.deploy.cloud.regions import checked
from shoal.deploy.cloud.sizes import checked as checked_size
from shoal.deploy.gcp import regions

PROCESSORS = {1: (512, 4096), 2: (512, 8192), 4: (2048, 16384), 6: (4096, 24576), 8: (4096, 32768)}
"""Processors of an instance on Cloud Run, and the least and most MiB of each ("Configure CPU limits"). Less than one
processor is only for instances that take one request at a time and sleep in between."""


PARTS = ("us", "europe", "asia")
"""Parts of the world in which Google keeps keys, images and objects in more than one region."""

_MACHINE = re.compile(
    r"db-(f1-micro|g1-small|custom-[1-9][0-9]?-[1-9][0-9]{3,5}"
    r"|(perf-optimized-N|memory-optimized-N|c4a-highmem)-[1-9][0-9]{0,2})"
)
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_BILLING = re.compile(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")


class Size(cloud.Size, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one service gets: a size that rounds up to one of Cloud Run."""

    def __post_init__(self) -> None:
        """Refuse what Cloud Run does not have."""
        super().__post_init__()
        self.processors  # noqa: B018 - it raises
        if self.spot:
            raise ValueError("spot = true: Cloud Run has no spare capacity at another price")

    @property
    def processors(self) -> int:
        """Whole processors of an instance: as few as have room for what is asked."""
        for processors, (_, most) in PROCESSORS.items():
            if processors * cloud.UNIT >= self.cpu and self.memory <= most:
                return processors
        most = PROCESSORS[8][1]
        raise ValueError(
            f"cpu = {self.cpu} with memory = {self.memory} is more than Cloud Run has: 8 processors, {most} MiB"
        )

    @property
    def mebibytes(self) -> int:
        """MiB of an instance."""
        return max(self.memory, PROCESSORS[self.processors][0])


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the engines, the same for each service that has one."""

    postgres: str = "db-custom-1-3840"
    postgres_storage: int = 20
    """GiB of each database when it is made; Cloud SQL adds to it by itself up to five times as much."""
    valkey: Literal["SHARED_CORE_NANO", "STANDARD_SMALL", "HIGHMEM_MEDIUM", "HIGHMEM_XLARGE"] = "STANDARD_SMALL"
    """Kind of node; the smallest, SHARED_CORE_NANO, is for trying things, and Google promises nothing of it."""

    def __post_init__(self) -> None:
        """Refuse a machine that Cloud SQL does not have."""
        checked_size("postgres", self.postgres, _MACHINE, of="Cloud SQL", example="db-custom-1-3840")


class Environment(cloud.Environment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment: a project of its own, in which everything has a short name."""

    region: str = "us-central1"
    project: str = ""
    """Id of the project; SYSTEM-NAME when empty."""
    number: int = 0
    """Number of the project, for files that are no Terraform; these say PROJECT_NUMBER when it is 0."""
    compute: Literal["cloud-run", "kubernetes"] = "cloud-run"
    """What runs containers: Cloud Run, or a cluster of GKE for the manifests of `shoal deploy kubernetes`."""
    door: Literal["", "balancer", "gateway"] = ""
    """What clients call: a load balancer, or an API Gateway; the balancer where there are `hosts`, when empty."""
    inside: bool = False
    """Whether services find each other by a balancer inside too, such as programs in the network that are not here."""
    gateway: bool = True
    """Whether there is a NAT gateway, by which services reach what is outside of Google."""
    keys: bool = True
    """Whether disks and messages are encrypted by a key of ours; by Google's own otherwise."""
    firewall: bool = True
    """Whether the balancer counts requests of callers, and refuses those above their limits (Cloud Armor)."""
    collector: str = ""
    """Tag of Google's build of the OpenTelemetry collector; nothing is collected when it is empty."""
    billing: str = ""
    """Id of the billing account, which a budget needs."""
    engines: Engines = Engines()
    services: Mapping[str, Size] = {}
    """Sizes by service, where they differ."""

    def __post_init__(self) -> None:
        """Refuse what Google Cloud would refuse much later."""
        super().__post_init__()
        checked("region", self.region, regions.KNOWN, regions.USUAL, example="us-central1")
        if self.standby is not None:
            self._check_second(self.standby)
        if self.project and not _PROJECT.fullmatch(self.project):
            raise ValueError(f"project = {self.project!r} is no project: 6 to 30 lower-case letters, digits and '-'")
        if self.number < 0:
            raise ValueError(f"number = {self.number} is no number of a project")
        if self.door == "balancer" and not self.hosts:
            raise ValueError("a balancer has a certificate for a name: write hosts = [...] too")
        if self.billing and not _BILLING.fullmatch(self.billing):
            raise ValueError(f"billing = {self.billing!r} is no billing account; write 012345-6789AB-CDEF01")
        if self.compute == "kubernetes" and self.door == "gateway":
            raise ValueError("an API Gateway leads to Cloud Run; on a cluster the manifests bring a gateway")

    def _check_second(self, other: cloud.Standby) -> None:
        checked("standby.region", other.region, regions.KNOWN, regions.USUAL, example="us-east1")
        if part(self.region) not in {*PARTS} & {part(other.region)}:
            wrong = f"region = {self.region!r} with standby.region = {other.region!r}"
            raise ValueError(f"{wrong}: keys, images and objects are in both only within {', '.join(PARTS)}")

    @property
    def balanced(self) -> bool:
        """Whether clients call a load balancer."""
        return self.door == "balancer" or (not self.door and bool(self.hosts))


def part(region: str) -> str:
    """Say in which part of the world a region lies."""
    return region.partition("-")[0]


ENVIRONMENTS = (
    Environment(
        name="dev", protected=False, least=0, most=2, keep_logs=7, keep_backups=2, keys=False,
        engines=Engines(postgres="db-g1-small", postgres_storage=10, valkey="SHARED_CORE_NANO"),
    ),
    Environment(name="production"),
)  # fmt: skip
"""What is written when nobody says anything else."""


def read(text: str, *, where: str) -> Environment:
    """Read the text of a file, or raise `DeclarationError` that names the field at fault."""
    return cloud.read(text, Environment, where=where, page="docs/google-cloud.md")
