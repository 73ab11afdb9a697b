"""What differs from environment to environment, as people write it: ``targets/production.toml``. Pure data."""

import re
import tomllib
from collections.abc import Sequence
from typing import Literal

import msgspec

from shoal.deploy.misread import misread
from shoal.errors import DeclarationError
from shoal.model.fault import Fault
from shoal.model.names import check_label
from shoal.model.rollout import Split

Mesh = Literal["istio", "istio-ambient", "linkerd", "none"]
"""Who carries calls between services: Istio with a proxy in each pod, Istio without, Linkerd, or nobody."""

Place = Literal["cluster", "managed"]
"""Where a server runs: beside the services, or somewhere that others look after."""

Vault = Literal["aws", "azure", "google", "vault"]

_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CIDR = re.compile(r"[0-9a-f.:]+/[0-9]{1,3}")


class Size(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a cluster one service gets."""

    least: int = 0
    """Replicas at rest; 0 takes the environment's."""
    most: int = 0
    """Replicas under load; 0 takes the environment's."""
    cpu: str = "100m"
    """What each replica is promised. It may use more while others do not."""
    memory: str = "192Mi"
    """What each replica is promised, and the most that it gets: half of it is its own after the imports."""
    busy: int = 70
    """Percent of the promised CPU from which on there are more replicas."""

    def __post_init__(self) -> None:
        """Refuse what no scheduler would take."""
        for name in ("cpu", "memory"):
            if not _QUANTITY.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} = {getattr(self, name)!r} is no quantity; write 250m, or 256Mi")
        if not 0 <= self.least <= 1000 or not 0 <= self.most <= 1000 or not 1 <= self.busy <= 100:
            raise ValueError("least and most are 0 to 1000 replicas, busy is 1 to 100 percent")
        if self.most and self.least > self.most:
            raise ValueError(f"least = {self.least} is more than most = {self.most}")


class Storage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Disks and backups of the servers that run in the cluster."""

    size: str = "20Gi"
    """Of each disk."""
    kind: str = ""
    """Storage class; the cluster's own when empty. It should encrypt what it holds."""
    backup: str = ""
    """Where backups of PostgreSQL go, such as ``s3://backups/shop``; none are made when it is empty."""
    secret: str = "backup"  # noqa: S105 - a name
    """Secret with the credentials for it: ``ACCESS_KEY_ID`` and ``ACCESS_SECRET_KEY``."""
    keep: str = "30d"
    """For how long backups are kept."""


class Secrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where secrets come from: a store of a cloud, which External Secrets reads."""

    store: Vault = "vault"
    region: str = ""
    """Of AWS."""
    url: str = ""
    """Of Azure's vault, or of Vault's server."""
    project: str = ""
    """Of Google."""
    prefix: str = ""
    """How the names of all secrets begin there; the system's name when empty."""
    optional: tuple[str, ...] = ()
    """Variables of secret settings that services can do without, but are to have here."""


class Second(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second version of a service, and the part of the requests that it gets."""

    version: str
    """Tag of its image."""
    name: str = "canary"
    """What it is called; a DNS label."""
    weight: int = 0
    """Percent of the requests; the rest goes to the stable version."""
    mirror: int = 0
    """Percent of the GET requests of which it gets a copy while its weight is 0; nobody waits for its answers."""
    override: Literal["nobody", "anyone"] = "nobody"
    """Whose ``shoal-version`` header chooses a version by name; ``anyone``, also from outside, by Gateway API."""
    replicas: int = 1

    def __post_init__(self) -> None:
        """Refuse what divides nothing, and a version that could not be told from the stable one."""
        try:
            Split(version=self.name, weight=self.weight, mirror=self.mirror)
        except DeclarationError as error:
            raise ValueError(f"{error.message}: {error.hint}") from error
        if not 1 <= self.replicas <= 1000:
            raise ValueError("replicas are 1 to 1000")


class Strike(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests of one caller to one service that are late, or answered by an error instead of the service."""

    caller: str
    callee: str
    endpoint: str = ""
    """One operation; all that the caller may call when empty."""
    delay: float = 0.0
    """Seconds."""
    abort: int = 0
    """Status that answers them; 0 sends them on."""
    percent: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a fault that does nothing."""
        try:
            self.fault()
        except DeclarationError as error:
            raise ValueError(f"{error.message}: {error.hint}") from error

    def fault(self) -> Fault:
        """Return it as `shoal fault` knows it."""
        return Fault(**msgspec.structs.asdict(self))


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment."""

    name: str
    namespace: str = ""
    """SYSTEM-NAME when empty."""
    mesh: Mesh = "istio"
    choose: tuple[str, ...] = ()
    """Engines other than those meant for production, as ``shoal run --engine`` takes them."""
    engines: dict[str, Place] = {}
    """Where each server is; in the cluster where one can be, unless said otherwise."""
    reach: dict[str, tuple[str, ...]] = {}
    """Networks (CIDR) of a managed server, by its name; the whole internet by TLS when nothing is said."""
    authorities: tuple[Literal["postgres"], ...] = ()
    """Managed servers whose authority is nobody's that the image knows: the store of secrets has its certificate."""
    gateway_class: str = "istio"
    hosts: tuple[str, ...] = ()
    """Names under which clients call; NAME.SYSTEM.example when empty, which is for nobody's use."""
    certificate: str = "edge-certificate"
    """Secret with the gateway's certificate and key (kubernetes.io/tls)."""
    registry: str = "registry.example"
    """Where images are."""
    version: str = "0.1.0"
    """Tag of the images."""
    digests: dict[str, str] = {}
    """Digests of images by service (``sha256:...``), which stand for their tags."""
    least: int = 2
    """Replicas of a service at rest; two, so that one can go."""
    most: int = 4
    """Replicas of a service under load."""
    trust_domain: str = "cluster.local"
    release: Literal["rolling", "canary"] = "rolling"
    """How a new version takes over: replica by replica, or by a growing part of the requests (Argo Rollouts)."""
    monitoring: bool = True
    """Whether it is watched: by Prometheus' operator, and what lies beside it in the namespace ``monitoring``."""
    traces: float = 100.0
    """Percent of the requests that come without a trace of which the mesh's proxies have one recorded; the collector
    keeps what matters of these. Of the others services send what failed or was slow in themselves."""
    secrets: Secrets = Secrets()
    storage: Storage = Storage()
    services: dict[str, Size] = {}
    """Sizes by service, where they differ."""
    splits: dict[str, Second] = {}
    """Second versions by service."""
    faults: tuple[Strike, ...] = ()
    """What goes wrong on purpose, to see what becomes of it."""
    settings: dict[str, str] = {}
    """Variables of services' settings and addresses of externals; no secrets."""

    def __post_init__(self) -> None:
        """Refuse names that no cluster would take."""
        for kind, name in (("environment", self.name), ("namespace", self.namespace or "a")):
            try:
                check_label(kind, name)
            except DeclarationError as error:
                raise ValueError(error.message) from error
        if odd := next((host for host in self.hosts if not _HOST.fullmatch(host)), ""):
            raise ValueError(f"hosts: {odd!r} is no name of a host")
        if odd := next((one for one in self.digests.values() if not _DIGEST.fullmatch(one)), ""):
            raise ValueError(f"digests: {odd!r} is no digest of an image; write sha256: and 64 digits")
        if odd := next((one for some in self.reach.values() for one in some if not _CIDR.fullmatch(one)), ""):
            raise ValueError(f"reach: {odd!r} is no network; write 10.0.0.0/16")
        if not 0 <= self.traces <= 100:
            raise ValueError(f"traces = {self.traces:g} is no percentage: write 0 to 100")
        if self.release == "canary" and self.splits:
            raise ValueError("splits: a canary divides the requests by itself; leave them out, or release = rolling")
        if not 1 <= self.least <= self.most <= 1000:
            raise ValueError(f"least = {self.least} and most = {self.most}: write 1 <= least <= most <= 1000")


ENVIRONMENTS = (
    Environment(name="dev", least=1, most=2),
    Environment(name="staging"),
    Environment(name="production", least=3, most=10),
)
"""What is written when nobody says anything else."""


def read(text: str, *, where: str) -> Environment:
    """Read the text of a file, or raise `DeclarationError` that names the field at fault."""
    try:
        return msgspec.convert(tomllib.loads(text), Environment)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"this is no TOML: {error}", where=where, hint="see docs/kubernetes.md") from error
    except msgspec.ValidationError as error:
        raise misread(error, Environment, where=where, page="docs/kubernetes.md") from error


def agreed(environments: Sequence[Environment]) -> Environment:
    """Return one that speaks for all, or raise `DeclarationError` where they want what one base cannot be."""
    if not environments:
        raise DeclarationError("no environment is asked for", hint="leave out --target, or name a file")
    first = environments[0]
    names = [one.name for one in environments]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise DeclarationError(f"two environments are called {twice}", hint="rename one of them")
    for one in environments[1:]:
        for field in ("mesh", "choose", "gateway_class", "trust_domain", "release"):
            if getattr(one, field) != getattr(first, field):
                raise DeclarationError(
                    f"{first.name} and {one.name} disagree about {field}: {getattr(first, field)!r} and "
                    f"{getattr(one, field)!r}",
                    hint="environments share one base: what is tried is what is used; write them to two folders",
                )
    return first
