"""What differs from environment to environment on Azure, as people write it in TOML. Pure data."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.deploy.azure import regions
from shoal.deploy.cloud import settings
from shoal.deploy.cloud.regions import checked
from shoal.deploy.cloud.settings import UNIT, Size
from shoal.deploy.cloud.sizes import checked as sized

__all__ = ["ENVIRONMENTS", "Engines", "Environment", "Mail", "Size", "read"]

_BYTE = r"(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])"
_ADDRESS = re.compile(rf"{_BYTE}(\.{_BYTE}){{3}}(/[0-9]{{1,2}})?")
_GATEWAY = re.compile(r"(Developer_1|(StandardV2|PremiumV2|Premium)_[1-9][0-9]?)")
_CERTIFICATE = re.compile(r"https://[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(/[a-z0-9]*)?")
_SENDER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_MARK = re.compile(r"[a-z0-9]{1,6}")

STEP, LARGEST, SHARE = UNIT // 4, 4 * UNIT, 2
"""Units of processors by which a container grows, the most it has, and MiB for each (Container Apps, consumption)."""

_SIZES = {
    "postgres": (
        "a flexible server",
        re.compile(
            r"B_Standard_B([12]s|(2|4|8|12|16|20)m?s|1ms)|(GP_Standard_D|MO_Standard_E)[1-9][0-9]?i?[ap]?d?s_v[3-9]"
        ),
        "GP_Standard_D2ds_v5",
    ),
    "valkey": (
        "Managed Redis",
        re.compile(r"(Balanced_B|MemoryOptimized_M|ComputeOptimized_X|FlashOptimized_A)[0-9]{1,4}"),
        "Balanced_B0",
    ),
    "node": (
        "a node",
        re.compile(r"Standard_[A-Z]{1,3}[0-9]{1,3}[a-z0-9-]*(_[A-Za-z0-9]+)*"),
        "Standard_D4ds_v5",
    ),
}
"""Setting → what it is for, the form of its sizes, and one of them."""

DISKS = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""GiB that a disk of a flexible server can have."""


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the engines, the same for each service that has one."""

    postgres: str = "GP_Standard_D2ds_v5"
    """Size of a flexible server; one that begins with ``B_`` is cheap, and has no second copy."""
    postgres_storage: int = 32
    """GiB of each server when it is made; it adds to it by itself."""
    servicebus: Literal["Standard", "Premium"] = "Standard"
    """Premium has an address in the network, and none outside."""
    registry: Literal["Basic", "Standard", "Premium"] = "Standard"
    """Premium has an address in the network, and none outside."""
    valkey: str = "Balanced_B0"
    """Size of a Managed Redis."""
    node: str = "Standard_D4ds_v5"
    """Size of a cluster's nodes, where there is one."""
    nodes: int = 3
    """Nodes at rest."""

    def __post_init__(self) -> None:
        """Refuse a size or a disk that Azure does not have."""
        for field, (engine, usual, example) in _SIZES.items():
            sized(field, getattr(self, field), usual, of=engine, example=example)
        if self.postgres_storage not in DISKS:
            raise ValueError(
                f"postgres_storage = {self.postgres_storage} GiB: write one of {', '.join(map(str, DISKS))}"
            )
        if not 1 <= self.nodes <= 1000:
            raise ValueError(f"nodes = {self.nodes}: write 1 to 1000")


class Mail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """E-mail by Communication Services, which services ask as their identities."""

    data: Literal[
        "Africa", "Asia Pacific", "Australia", "Brazil", "Canada", "Europe", "France", "Germany", "India", "Japan",
        "Korea", "Norway", "Switzerland", "UAE", "UK", "United States",
    ]  # fmt: skip
    """Part of the world in which mail is kept; it stays what it was first."""
    domain: str = ""
    """In whose name mail goes out; one of Azure's own, which may send little, when empty."""
    sender: str = ""
    """What stands before the @; `DoNotReply`, which every domain has, when empty."""
    verified: bool = False
    """Whether Azure has seen the domain's records; nothing goes out in its name before."""
    tells: Mapping[str, Literal["address", "sender"]] = {}
    """Which variables of services hear where Communication Services are, and who sends."""

    def __post_init__(self) -> None:
        """Refuse what Azure would refuse much later."""
        if self.domain and not settings.HOST.fullmatch(self.domain):
            raise ValueError(f"mail.domain = {self.domain!r} is no domain; write mail.example.com")
        if self.sender and not _SENDER.fullmatch(self.sender):
            raise ValueError(f"mail.sender = {self.sender!r} is what stands before the @; write orders")
        if not self.domain and (self.sender or self.verified):
            raise ValueError("mail.sender and mail.verified are for a domain of yours: write mail.domain, too")


class Environment(settings.Environment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment."""

    region: str = "eastus2"
    compute: Literal["container-apps", "kubernetes"] = "container-apps"
    """Where services run: as container apps, or in a cluster with what ``shoal deploy kubernetes`` writes."""
    mark: str = ""
    """What names for the whole world end with: up to 6 letters and digits; made of the names when empty."""
    operators: tuple[str, ...] = ()
    """Addresses (also CIDR) from which files are applied and images brought: to all others outside the vault is closed,
    and a registry of the tier Premium."""
    gateway: str = "StandardV2_1"
    """Tier and units of API Management: Developer_1, StandardV2_1, PremiumV2_1 or Premium_1."""
    publisher: str = ""
    """E-mail address that API Management shows; the one of `alarms`, or nobody's, when empty."""
    certificate: str = ""
    """Secret of the certificate of the first host, in a vault: https://VAULT.vault.azure.net/secrets/NAME."""
    bicep: bool = True
    """Whether the same is written in Bicep, too."""
    far_backups: bool = False
    """Whether objects and backups of databases are kept in the paired region, too."""
    dapr: bool = False
    """Whether Dapr runs beside each app, for programs of yours; services themselves do without."""
    mail: Mail | None = None
    """E-mail by Communication Services; services ask a server of SMTP when it is left out."""
    engines: Engines = Engines()
    services: Mapping[str, Size] = {}
    """Sizes by service, where they differ; memory is twice the processor: 256 units and 512 MiB, 512 and 1024 ..."""

    def __post_init__(self) -> None:
        """Refuse what Azure would refuse much later."""
        super().__post_init__()
        checked("region", self.region, regions.KNOWN, regions.USUAL, example="eastus2")
        if self.standby is not None:
            checked("standby.region", self.standby.region, regions.KNOWN, regions.USUAL, example="westus")
        for field, law, example in _SHAPES:
            said = getattr(self, field)
            for one in said if isinstance(said, tuple) else (said,):
                if one and not law.fullmatch(one):
                    raise ValueError(f"{field} cannot be {one!r}; write {example}")
        if bool(self.certificate) != bool(self.hosts):
            raise ValueError("hosts and certificate belong together: write both, or neither")
        if self.dapr and self.compute == "kubernetes":
            raise ValueError("dapr = true is for container apps; in a cluster install its extension")
        if not self.least:
            raise ValueError("least = 0: what follows its processor has at least one replica (KEDA)")
        if not 30 <= self.keep_logs <= 730 or not 7 <= self.keep_backups <= 35:
            raise ValueError("keep_logs is 30 to 730 days, keep_backups 7 to 35")
        self._check_sizes()

    def _check_sizes(self) -> None:
        for name, size in self.services.items():
            if size.cpu % STEP or size.cpu > LARGEST or size.memory != SHARE * size.cpu:
                known = f"{STEP} with {SHARE * STEP} MiB, {2 * STEP} with {2 * SHARE * STEP} ... {LARGEST}"
                wrong = f"services.{name}: cpu = {size.cpu} with memory = {size.memory}"
                raise ValueError(f"{wrong} is no size of a container app; it has {known}")


_SHAPES = (
    ("operators", _ADDRESS, "203.0.113.7"),
    ("gateway", _GATEWAY, "StandardV2_1"),
    ("certificate", _CERTIFICATE, "https://VAULT.vault.azure.net/secrets/NAME"),
    ("mark", _MARK, "up to six letters and digits"),
)
"""Fields of one shape, and what one may be."""

ENVIRONMENTS = (
    Environment(
        name="dev", protected=False, gateway="Developer_1", least=1, most=2,
        engines=Engines(postgres="B_Standard_B1ms", registry="Basic"),
    ),
    Environment(name="production"),
)  # fmt: skip
"""What is written when nobody says anything else."""


def read(text: str, *, where: str) -> Environment:
    """Read the text of a file, or raise `DeclarationError` that names the field at fault."""
    return settings.read(text, Environment, where=where, page="docs/azure.md")
