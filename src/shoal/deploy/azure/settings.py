"""What differs from environment to environment on Azure, as people write it in TOML. Pure data."""

import re
import tomllib
from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.names import check_label

_REGION = re.compile(r"[a-z]+[a-z0-9]*")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_BYTE = r"(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])"
_NETWORK = re.compile(rf"{_BYTE}\.{_BYTE}\.0\.0/16")
_ADDRESS = re.compile(rf"{_BYTE}(\.{_BYTE}){{3}}(/[0-9]{{1,2}})?")
_GATEWAY = re.compile(r"(Developer_1|(StandardV2|PremiumV2|Premium)_[1-9][0-9]?)")
_CERTIFICATE = re.compile(r"https://[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(/[a-z0-9]*)?")
_MARK = re.compile(r"[a-z0-9]{1,6}")

STEP, LARGEST = 250, 4000
"""Thousandths of a processor by which a container grows, and the most it has (Container Apps, consumption plan)."""

DISKS = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""GiB that a disk of a flexible server can have."""


class Size(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one service gets."""

    least: int = 0
    """Replicas at rest; 0 takes the environment's."""
    most: int = 0
    """Replicas under load; 0 takes the environment's."""
    cpu: int = 250
    """Thousandths of a processor; memory follows: 2 GiB for each processor."""
    busy: int = 70
    """Percent of the processor from which on there are more replicas."""

    def __post_init__(self) -> None:
        """Refuse what Container Apps do not have."""
        if self.cpu % STEP or not STEP <= self.cpu <= LARGEST:
            raise ValueError(f"cpu = {self.cpu} is no size of a container app; it has {STEP}, {2 * STEP} ... {LARGEST}")
        if not 0 <= self.least <= 1000 or not 0 <= self.most <= 1000 or not 1 <= self.busy <= 100:
            raise ValueError("least and most are 0 to 1000 replicas, busy is 1 to 100 percent")

    @property
    def memory(self) -> int:
        """MiB of one replica."""
        return self.cpu * 2048 // 1000


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of the engines, the same for each service that has one."""

    postgres: str = "GP_Standard_D2ds_v5"
    """Size of a flexible server; one that begins with ``B_`` is cheap, and has no second copy."""
    postgres_storage: int = 32
    """GiB of each server; it adds to it by itself."""
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
        """Refuse a disk that Azure does not have."""
        if self.postgres_storage not in DISKS:
            raise ValueError(
                f"postgres_storage = {self.postgres_storage} GiB: write one of {', '.join(map(str, DISKS))}"
            )
        if not 1 <= self.nodes <= 1000:
            raise ValueError(f"nodes = {self.nodes}: write 1 to 1000")


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment."""

    name: str
    region: str = "eastus"
    protected: bool = True
    """Whether nothing with data is deleted by mistake, or gone with one zone."""
    compute: Literal["container-apps", "kubernetes"] = "container-apps"
    """Where services run: as container apps, or in a cluster with what ``shoal deploy kubernetes`` writes."""
    choose: tuple[str, ...] = ()
    """Engines other than those meant for production, as ``shoal run --engine`` takes them."""
    mark: str = ""
    """What names for the whole world end with: up to 6 letters and digits; made of the names when empty."""
    cidr: str = "10.50.0.0/16"
    """Addresses of the network: a /16."""
    operators: tuple[str, ...] = ()
    """Addresses (also CIDR) from which the files are applied: the vault is closed to all others outside."""
    gateway: str = "StandardV2_1"
    """Tier and units of API Management: Developer_1, StandardV2_1, PremiumV2_1 or Premium_1."""
    publisher: str = ""
    """E-mail address that API Management shows; the one of `alarms`, or nobody's, when empty."""
    hosts: tuple[str, ...] = ()
    """Name under which clients call; Azure's own when empty."""
    certificate: str = ""
    """Secret of the certificate of that name, in a vault: https://VAULT.vault.azure.net/secrets/NAME."""
    version: str = "0.1.0"
    """Tag of the images."""
    least: int = 2
    most: int = 4
    keep_logs: int = 30
    """Days; 30 to 730."""
    keep_backups: int = 7
    """Days; 7 to 35."""
    far_backups: bool = False
    """Whether backups of databases are kept in the paired region, too."""
    state: str = ""
    """Storage account of Terraform's state, which is made by hand; SYSTEM, NAME and a mark when empty."""
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
        """Refuse what Azure would refuse much later."""
        try:
            check_label("environment", self.name)
        except DeclarationError as error:
            raise ValueError(error.message) from error
        for field, law, example in _SHAPES:
            said = getattr(self, field)
            for one in said if isinstance(said, tuple) else (said,):
                if one and not law.fullmatch(one):
                    raise ValueError(f"{field}: {one!r} is none; write {example}")
        if bool(self.certificate) != bool(self.hosts):
            raise ValueError("hosts and certificate belong together: write both, or neither")
        if not 1 <= self.least <= self.most <= 1000:
            raise ValueError(f"least = {self.least} and most = {self.most}: write 1 <= least <= most <= 1000")
        if not 30 <= self.keep_logs <= 730 or not 7 <= self.keep_backups <= 35:
            raise ValueError("keep_logs is 30 to 730 days, keep_backups 7 to 35")


_SHAPES = (
    ("region", _REGION, "eastus"),
    ("hosts", _HOST, "api.example.com"),
    ("cidr", _NETWORK, "10.50.0.0/16"),
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
    try:
        return msgspec.convert(tomllib.loads(text), Environment)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"this is no TOML: {error}", where=where, hint="see docs/azure.md") from error
    except msgspec.ValidationError as error:
        problem = str(error).replace("Object contains unknown field", "there is no setting")
        fields = ", ".join(field.name for field in msgspec.structs.fields(Environment))
        raise DeclarationError(problem, where=where, hint=f"its settings are: {fields}") from error
