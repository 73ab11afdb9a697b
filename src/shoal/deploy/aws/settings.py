"""What differs from environment to environment on AWS, as people write it in TOML. Pure data."""

import re
from collections.abc import Mapping
from typing import Literal, Self

import msgspec

from shoal.deploy.aws import regions
from shoal.deploy.cloud import settings as cloud
from shoal.deploy.cloud.regions import checked
from shoal.deploy.cloud.settings import Size
from shoal.deploy.cloud.sizes import checked as sized

__all__ = ["CPUS", "ENVIRONMENTS", "Engines", "Environment", "Nodes", "Size", "Standby", "read"]

CPUS = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
"""Units of processors (1,024 are one) and the MiB that Fargate has for each (ECS developer guide, "Task CPU")."""

LOGS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days for which CloudWatch keeps logs (API reference, "PutRetentionPolicy")."""

CAPACITIES = (4, *range(8, 513, 8))
"""Processing units that a workgroup begins with (Redshift management guide, "Compute capacity")."""

LONGEST = 86_400
"""Seconds between two batches of facts at most."""

_ZONE = re.compile(r"Z[A-Z0-9]{1,31}")
_INSTANCE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_ACCOUNT = re.compile(r"[0-9]{12}")

_FAMILY, _LARGE = "[a-z][a-z0-9-]{1,9}", "(nano|micro|small|medium|large|([1-9][0-9]?)?xlarge)"
_SIZES = {
    "postgres": ("RDS", re.compile(rf"db\.{_FAMILY}\.{_LARGE}(\.tpc[12]\.mem[1-8]x)?"), "db.t4g.micro"),
    "mongo": ("DocumentDB", re.compile(rf"db\.{_FAMILY}\.{_LARGE}"), "db.t4g.medium"),
    "valkey": ("ElastiCache", re.compile(rf"cache\.{_FAMILY}\.{_LARGE}"), "cache.t4g.micro"),
    "opensearch": ("OpenSearch", re.compile(rf"{_FAMILY}\.{_LARGE}\.search"), "t3.small.search"),
}
"""Setting → the engine, the form of its sizes, and one of them."""


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the engines, the same for each service that has one."""

    postgres: str = "db.t4g.micro"
    postgres_storage: int = 20
    """GiB of each database; RDS adds to it by itself up to five times as much."""
    mongo: str = "db.t4g.medium"
    valkey: str = "cache.t4g.micro"
    opensearch: str = "t3.small.search"
    opensearch_storage: int = 20
    redshift: int = 8
    """Processing units (RPUs) of each warehouse: 4, or 8 to 512 in steps of 8."""
    redshift_pace: int = 900
    """Seconds for which facts are gathered before they are loaded; each time is billed as a minute at least."""

    def __post_init__(self) -> None:
        """Refuse what Amazon's engines do not have."""
        for field, (engine, usual, example) in _SIZES.items():
            sized(field, getattr(self, field), usual, of=engine, example=example)
        if self.redshift not in CAPACITIES:
            raise ValueError(f"redshift = {self.redshift}: a warehouse has 4 processing units, or 8 to 512 in eights")
        if not 0 <= self.redshift_pace <= LONGEST:
            raise ValueError(f"redshift_pace = {self.redshift_pace}: facts are gathered for 0 to {LONGEST} s")


class Nodes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Machines of a cluster of Kubernetes."""

    instance: str = "m6i.large"
    least: int = 3
    """One in each zone."""
    most: int = 9
    disk: int = 50
    """GiB."""
    spot: bool = False

    def __post_init__(self) -> None:
        """Refuse what no group of nodes could be."""
        if not 1 <= self.least <= self.most <= 450:
            raise ValueError(f"least = {self.least} and most = {self.most}: write 1 <= least <= most <= 450 nodes")
        if not _INSTANCE.fullmatch(self.instance):
            raise ValueError(f"instance = {self.instance!r} is no machine; write m6i.large")


class Mail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """E-mail by SES, which services ask by their role."""

    domain: str
    """In whose name mail goes out."""
    zone: str = ""
    """Id of the zone of Route 53 that the domain is in; nobody's, and its records are yours, when empty."""

    def __post_init__(self) -> None:
        """Refuse what Amazon has not."""
        if not cloud.HOST.fullmatch(self.domain):
            raise ValueError(f"mail.domain = {self.domain!r} is no domain; write mail.example.com")
        if self.zone and not _ZONE.fullmatch(self.zone):
            raise ValueError(f"mail.zone = {self.zone!r} is no zone; write its id, such as Z0123456789ABCDEFGHIJ")


class Standby(cloud.Standby, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second region on AWS."""

    certificate: str = ""
    """ARN of a certificate there, where the first region's is named and not made."""
    web_acl: str = ""
    """ARN of a web ACL there."""

    def __post_init__(self) -> None:
        """Refuse what Amazon has not."""
        super().__post_init__()
        checked("standby.region", self.region, regions.KNOWN, regions.USUAL, example="eu-west-1")


class Environment(cloud.Environment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment."""

    region: str = "eu-central-1"
    zones: int = 3
    gateways: int = 3
    """NAT gateways, by which services reach what is outside; 0 where nothing outside is needed."""
    endpoints: bool = True
    """Whether AWS's own interfaces are reached without leaving the network; through the gateways otherwise."""
    certificate: str = ""
    """ARN of the certificate (ACM) of that name; where `zone` is said, one is made when this is empty."""
    zone: str = ""
    """Id of the zone of Route 53 that the name is in; nobody's, and the record is yours, when empty."""
    cognito: bool = False
    """Whether there is a user pool, whose tokens the gateway and the services accept."""
    web_acl: str = ""
    """ARN of a web ACL (WAF); `firewall.yaml` makes one."""
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    collector: str = ""
    """Tag of a copy of AWS's collector of telemetry in SYSTEM/collector; nothing is collected when it is empty."""
    compute: Literal["fargate", "eks"] = "fargate"
    """What runs containers: tasks on Fargate, or pods on a cluster of Kubernetes."""
    mesh: Literal["istio", "istio-ambient", "linkerd", "none", "app-mesh"] = "istio"
    """On Kubernetes: who carries calls between services."""
    nodes: Nodes = Nodes()
    """On Kubernetes: its machines."""
    eksctl: bool = False
    """Whether the cluster is made by eksctl, from `eksctl.yaml`; by Terraform otherwise."""
    account: str = ""
    """On Kubernetes: number of the account, which is part of the names of images and roles."""
    branch: str = "main"
    """Branch that pipelines deliver: images are called by its name, too, which moves on with it."""
    existing_oidc: bool = False
    """Whether the account knows GitHub's tokens already, as where it has another environment: who does is looked up."""
    passwords: int = 1
    """Count it up, and every password of an engine is another one; services are started anew with it."""
    engines: Engines = Engines()
    services: Mapping[str, Size] = {}
    """Sizes by service, where they differ."""
    forward: tuple[str, ...] = ()
    """Events that go out to a bus of EventBridge, for those outside of the system: ``orders.confirmed.v1``."""
    mail: Mail | None = None
    """E-mail by SES, whose identity is made; one that is verified by hand, when it is left out."""
    standby: Standby | None = None
    """A second region, where one is to stand by."""

    def second(self) -> Self:
        """Return it as it is in its second region, where certificates and firewalls are others."""
        found, other = super().second(), self.standby
        return msgspec.structs.replace(found, certificate=other.certificate, web_acl=other.web_acl) if other else found

    @property
    def secured(self) -> bool:
        """Whether the API answers to its own name, by TLS."""
        return bool(self.certificate or self.zone)

    @property
    def eks(self) -> bool:
        """Whether services run on Kubernetes."""
        return self.compute == "eks"

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse much later."""
        super().__post_init__()
        checked("region", self.region, regions.KNOWN, regions.USUAL, example="eu-central-1")
        if not 2 <= self.zones <= 3 or not 0 <= self.gateways <= self.zones:
            raise ValueError("zones are 2 or 3, and gateways at most one for each")
        if self.zones > 2 and self.region in regions.TWO_ZONES:
            raise ValueError(f"zones = {self.zones}: {self.region} has two; write zones = 2, and gateways = 2 at most")
        if not self.gateways and not self.endpoints:
            raise ValueError("without gateways and endpoints no image could be fetched: set one of them")
        self._check_names()
        self._check_sizes()
        if self.keep_logs not in LOGS:
            raise ValueError(f"keep_logs = {self.keep_logs}: CloudWatch has {', '.join(map(str, LOGS))} days")
        if not 1 <= self.keep_backups <= 35:
            raise ValueError(f"keep_backups = {self.keep_backups}: Amazon's databases keep 1 to 35 days")
        if self.eks and not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"account = {self.account!r}: images of pods name it; write its twelve digits")
        if self.passwords < 1:
            raise ValueError(f"passwords = {self.passwords}: count up from 1")
        if not self.least:
            raise ValueError("least = 0: a service on Fargate that has no task answers nobody; write at least 1")

    def _check_sizes(self) -> None:
        """Refuse tasks that Fargate does not have; pods may have any size."""
        for name, size in self.services.items():
            if not self.eks and size.memory not in CPUS.get(size.cpu, ()):
                known = "; ".join(f"{cpu}: {least[0]} to {least[-1]} MiB" for cpu, least in CPUS.items())
                wrong = f"services.{name}: cpu = {size.cpu} with memory = {size.memory}"
                raise ValueError(f"{wrong} is no size of Fargate; it has {known}")

    def _check_names(self) -> None:
        if not _TAG.fullmatch(self.branch):
            raise ValueError(f"branch = {self.branch!r} is no tag of an image, by which pipelines call it; write main")
        if (self.certificate or self.zone) and not self.hosts:
            raise ValueError("a certificate and a zone are for a name: write hosts = [...] too")
        if self.zone and not _ZONE.fullmatch(self.zone):
            raise ValueError(f"zone = {self.zone!r} is no zone; write its id, such as Z0123456789ABCDEFGHIJ")


ENVIRONMENTS = (
    Environment(name="dev", protected=False, gateways=1, endpoints=False, least=1, most=2, keep_logs=7, keep_backups=1),
    Environment(name="production"),
)
"""What is written when nobody says anything else."""


def read(text: str, *, where: str) -> Environment:
    """Read the text of a file, or raise `DeclarationError` that names the field at fault."""
    return cloud.read(text, Environment, where=where, page="docs/aws.md", renamed={"containers": "compute"})
