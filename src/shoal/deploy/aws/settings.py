"""What differs from environment to environment on AWS, as people write it in TOML. Pure data."""

import re
import tomllib
from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.names import check_label

CPUS = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
"""Units of processors (1,024 are one) and the MiB that Fargate has for each (ECS developer guide, "Task CPU")."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


class Size(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one service gets."""

    least: int = 0
    """Tasks at rest; 0 takes the environment's."""
    most: int = 0
    """Tasks under load; 0 takes the environment's."""
    cpu: int = 256
    """Units; 1,024 are one processor."""
    memory: int = 512
    """MiB."""
    busy: int = 70
    """Percent of the processor from which on there are more tasks."""
    spot: bool = False
    """Whether it runs on spare capacity, which may be taken away within two minutes."""

    def __post_init__(self) -> None:
        """Refuse what Fargate does not have."""
        if self.memory not in CPUS.get(self.cpu, ()):
            known = "; ".join(f"{cpu}: {least[0]} to {least[-1]} MiB" for cpu, least in CPUS.items())
            raise ValueError(f"cpu = {self.cpu} with memory = {self.memory} is no size of Fargate; it has {known}")
        if not 0 <= self.least <= 1000 or not 0 <= self.most <= 1000 or not 1 <= self.busy <= 100:
            raise ValueError("least and most are 0 to 1000 tasks, busy is 1 to 100 percent")


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the engines, the same for each service that has one."""

    postgres: str = "db.t4g.micro"
    postgres_storage: int = 20
    """GiB of each database; RDS adds to it by itself up to five times as much."""
    mongo: str = "db.t4g.medium"
    valkey: str = "cache.t4g.micro"
    opensearch: str = "t3.small.search"
    opensearch_storage: int = 20


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment."""

    name: str
    region: str = "eu-central-1"
    protected: bool = True
    """Whether nothing with data is deleted by mistake, or gone with one zone."""
    choose: tuple[str, ...] = ()
    """Engines other than those meant for production, as ``shoal run --engine`` takes them."""
    zones: int = 3
    cidr: str = "10.40.0.0/16"
    """Addresses of the network: a /16."""
    gateways: int = 3
    """NAT gateways, by which services reach what is outside; 0 where nothing outside is needed."""
    endpoints: bool = True
    """Whether AWS's own interfaces are reached without leaving the network; through the gateways otherwise."""
    hosts: tuple[str, ...] = ()
    """Name under which clients call; AWS's own when empty."""
    certificate: str = ""
    """ARN of the certificate (ACM) of that name."""
    cognito: bool = False
    """Whether there is a user pool, whose tokens the gateway and the services accept."""
    web_acl: str = ""
    """ARN of a web ACL (WAF); `firewall.yaml` makes one."""
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    version: str = "0.1.0"
    """Tag of the images."""
    collector: str = ""
    """Tag of a copy of AWS's collector of telemetry in SYSTEM/collector; nothing is collected when it is empty."""
    least: int = 2
    most: int = 4
    keep_logs: int = 30
    """Days."""
    keep_backups: int = 7
    """Days."""
    state: str = ""
    """Bucket of Terraform's state; SYSTEM-NAME-state when empty."""
    repository: str = ""
    """OWNER/NAME on GitHub whose pipelines may deliver; nobody's when empty."""
    alarms: str = ""
    """E-mail address that hears alarms and the budget."""
    budget: int = 0
    """Dollars a month above which somebody hears; 0 is no budget."""
    engines: Engines = Engines()
    services: dict[str, Size] = {}
    """Sizes by service, where they differ."""
    optional: tuple[str, ...] = ()
    """Variables of secret settings that services can do without, but are to have here."""
    settings: dict[str, str] = {}
    """Variables of services' settings and addresses of externals; no secrets."""

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse much later."""
        try:
            check_label("environment", self.name)
        except DeclarationError as error:
            raise ValueError(error.message) from error
        if not _REGION.fullmatch(self.region):
            raise ValueError(f"region = {self.region!r} is no region; write eu-central-1")
        if not 2 <= self.zones <= 3 or not 0 <= self.gateways <= self.zones:
            raise ValueError("zones are 2 or 3, and gateways at most one for each")
        if not self.gateways and not self.endpoints:
            raise ValueError("without gateways and endpoints no image could be fetched: set one of them")
        if odd := next((host for host in self.hosts if not _HOST.fullmatch(host)), ""):
            raise ValueError(f"hosts: {odd!r} is no name of a host")
        if self.certificate and not self.hosts:
            raise ValueError("a certificate is for a name: write hosts = [...] too")
        if not 1 <= self.least <= self.most <= 1000:
            raise ValueError(f"least = {self.least} and most = {self.most}: write 1 <= least <= most <= 1000")
        if not re.fullmatch(
            r"(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])\.(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])\.0\.0/16", self.cidr
        ):
            raise ValueError(f"cidr = {self.cidr!r} is no network of that size; write 10.40.0.0/16")


ENVIRONMENTS = (
    Environment(name="dev", protected=False, gateways=1, endpoints=False, least=1, most=2, keep_logs=7, keep_backups=1),
    Environment(name="production"),
)
"""What is written when nobody says anything else."""


def read(text: str, *, where: str) -> Environment:
    """Read the text of a file, or raise `DeclarationError` that names the field at fault."""
    try:
        return msgspec.convert(tomllib.loads(text), Environment)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"this is no TOML: {error}", where=where, hint="see docs/aws.md") from error
    except msgspec.ValidationError as error:
        problem = str(error).replace("Object contains unknown field", "there is no setting")
        fields = ", ".join(field.name for field in msgspec.structs.fields(Environment))
        raise DeclarationError(problem, where=where, hint=f"its settings are: {fields}") from error
