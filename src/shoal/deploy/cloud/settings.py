"""What differs from environment to environment on every cloud, as people write it in TOML. Pure data.

Each cloud has an ``Environment`` of its own that adds what it alone has.
"""

import re
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self, TypeVar

import msgspec

from shoal.deploy.misread import misread
from shoal.errors import DeclarationError
from shoal.model.names import check_label

UNIT = 1024
"""Units of one processor."""

HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
"""What a host or a domain may be called."""

_BYTE = r"(1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])"
_WORD = r"[A-Za-z0-9_.-]+"
_REPOSITORY = re.compile(rf"{_WORD}/{_WORD}|{_WORD}@[0-9]+/{_WORD}@[0-9]+")
_NETWORK = re.compile(rf"{_BYTE}\.{_BYTE}\.0\.0/16")


class Size(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one service gets, in the same words on every cloud."""

    least: int = 0
    """Copies at rest; 0 takes the environment's."""
    most: int = 0
    """Copies under load; 0 takes the environment's."""
    cpu: int = 256
    """Units; 1,024 are one processor."""
    memory: int = 512
    """MiB."""
    busy: int = 70
    """Percent of the processor from which on there are more copies."""
    spot: bool = False
    """Whether it runs on spare capacity, where the cloud has some, which may be taken away at any time."""

    def __post_init__(self) -> None:
        """Refuse what no cloud would have."""
        if not 0 <= self.least <= 1000 or not 0 <= self.most <= 1000 or not 1 <= self.busy <= 100:
            raise ValueError("least and most are 0 to 1000 copies, busy is 1 to 100 percent")
        if self.most and self.least > self.most:
            raise ValueError(f"least = {self.least} is more than most = {self.most}")
        if self.cpu < 1 or self.memory < 1:
            raise ValueError(f"cpu = {self.cpu} and memory = {self.memory}: write at least 1 of each")


STANDBY = "standby"
"""What follows the name of an environment in its second region, and the folder of that region in the environment's."""


class Standby(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second region, which has copies of what is kept and takes over when it is told to: active and passive."""

    region: str
    cidr: str = "10.41.0.0/16"
    """Addresses of its network: a /16, another one than the first region's."""
    copies: int = 0
    """Copies that run before it takes over, of each service that keeps nothing itself; the others could not write."""
    lag: int = 900
    """Seconds that a copy of a database may be behind until somebody hears of it."""
    state: str = ""
    """Where Terraform's state of it is, which lies there; SYSTEM-NAME-standby-state when empty."""
    settings: dict[str, str] = {}
    """Variables that are others there, such as addresses of what is outside."""

    def __post_init__(self) -> None:
        """Refuse what no cloud would have."""
        if not self.region:
            raise ValueError("a second region has a name: write region")
        if not _NETWORK.fullmatch(self.cidr):
            raise ValueError(f"cidr = {self.cidr!r} is no network of that size; write 10.41.0.0/16")
        if not 0 <= self.copies <= 1000 or self.lag < 1:
            raise ValueError(f"copies = {self.copies} are 0 to 1000, and lag = {self.lag} is at least a second")


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment, as far as clouds are alike."""

    name: str
    region: str = ""
    protected: bool = True
    """Whether nothing with data is deleted by mistake, or gone with one zone."""
    choose: tuple[str, ...] = ()
    """Engines other than those meant for production, as ``shoal run --engine`` takes them."""
    cidr: str = "10.40.0.0/16"
    """Addresses of the network: a /16."""
    hosts: tuple[str, ...] = ()
    """Names under which clients call; the cloud's own when empty."""
    version: str = "0.1.0"
    """Tag of the images."""
    least: int = 2
    """Copies of a service at rest."""
    most: int = 4
    """Copies of a service under load."""
    keep_logs: int = 30
    """Days."""
    keep_backups: int = 7
    """Days."""
    state: str = ""
    """Where Terraform's state is; SYSTEM-NAME-state when empty."""
    repository: str = ""
    """OWNER/NAME on GitHub whose pipelines may deliver; nobody's when empty. One that was made or renamed since
    15 July 2026 is OWNER@NUMBER/NAME@NUMBER, as its tokens say ("Immutable subject claims")."""
    alarms: str = ""
    """E-mail address that hears alarms and the budget."""
    budget: int = 0
    """Dollars a month above which somebody hears; 0 is no budget."""
    services: Mapping[str, Size] = {}
    """Sizes by service, where they differ."""
    optional: tuple[str, ...] = ()
    """Variables of secret settings that services can do without, but are to have here."""
    settings: dict[str, str] = {}
    """Variables of services' settings and addresses of externals; no secrets."""
    standby: Standby | None = None
    """A second region, where one is to stand by."""

    def __post_init__(self) -> None:
        """Refuse what a cloud would refuse much later."""
        try:
            check_label("environment", f"{self.name}-{STANDBY}" if self.standby is not None else self.name)
        except DeclarationError as error:
            raise ValueError(error.message) from error
        if odd := next((host for host in self.hosts if not HOST.fullmatch(host)), ""):
            raise ValueError(f"hosts: {odd!r} is no name of a host")
        if not 0 <= self.least <= self.most <= 1000 or not self.most:
            raise ValueError(f"least = {self.least} and most = {self.most}: write 1 <= least <= most <= 1000")
        if not _NETWORK.fullmatch(self.cidr):
            raise ValueError(f"cidr = {self.cidr!r} is no network of that size; write 10.40.0.0/16")
        if self.repository and not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(
                f"repository = {self.repository!r} is no repository; write OWNER/NAME, or OWNER@NUMBER/NAME@NUMBER"
            )
        if self.standby is not None:
            self._check_standby(self.standby)

    def _check_standby(self, other: Standby) -> None:
        if other.region == self.region:
            raise ValueError(f"standby.region = {other.region!r} is the first region, too: write another")
        if other.cidr == self.cidr:
            raise ValueError(f"standby.cidr = {other.cidr!r} is the first region's, too: write another")

    def second(self) -> Self:
        """Return it as it is in its second region: with that one's name, network and state; what is one for all stays.

        The budget counts both regions, and pipelines have one identity: both are the first region's.
        """
        other = self.standby
        if other is None:
            raise ValueError(f"{self.name} has no second region")
        return msgspec.structs.replace(
            self,
            name=f"{self.name}-{STANDBY}",
            region=other.region,
            cidr=other.cidr,
            state=other.state,
            settings={**self.settings, **other.settings},
            repository="",
            budget=0,
            standby=None,
        )


E = TypeVar("E", bound=Environment)


def read(text: str, kind: type[E], *, where: str, page: str, renamed: Mapping[str, str] = MappingProxyType({})) -> E:
    """Read the text of a file.

    Args:
        text: TOML.
        kind: The cloud's ``Environment``.
        where: What the file is called, for messages.
        page: The page that tells of the settings, such as ``docs/aws.md``.
        renamed: What settings were called once, and are called now.

    Raises:
        DeclarationError: It is no TOML, or says what no setting is; the message names the field at fault.
    """
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"this is no TOML: {error}", where=where, hint=f"see {page}") from error
    except msgspec.ValidationError as error:
        raise misread(error, kind, where=where, page=page, renamed=renamed) from error
