"""What a system takes on Azure, without syntax. Printers write these, and `shoal cost` prices these. Pure data."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.values import Ref, Value


class Network(Resource, frozen=True, kw_only=True):
    """A network without any way in but the gateway's."""

    cidr: str
    region: str


class Subnet(Resource, frozen=True, kw_only=True):
    """A part of the network; it lies in every zone."""

    bits: int
    """By how much its prefix is longer than the network's."""
    number: int
    """Which of the parts of that length it is."""
    delegated: str = ""
    """Whose it is: a kind of Azure's services."""
    actions: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Which connections a wall lets through."""

    name: str
    way: Literal["Inbound", "Outbound"] = "Inbound"
    allow: bool = True
    ports: tuple[str, ...] = ("*",)
    origin: Value = "*"
    """A tag of Azure's, or addresses."""
    to: str = "*"


class Wall(Resource, frozen=True, kw_only=True):
    """Who may connect into a subnet: a network security group. The first rule that fits holds."""

    subnet: str
    rules: tuple[Rule, ...]


class Zone(Resource, frozen=True, kw_only=True):
    """Names that lead to addresses inside: a private DNS zone."""

    domain: Value
    wild: Ref | None = None
    """What all names in it lead to."""


class Borrowed(Resource, frozen=True, kw_only=True):
    """Names of the first region that are known in the network of the second, too."""

    zone: str


class Endpoint(Resource, frozen=True, kw_only=True):
    """An address inside the network of something that Microsoft runs."""

    to: Ref
    part: str
    zone: str


class Vault(Resource, frozen=True, kw_only=True):
    """A vault of secrets and keys; who may read what is a matter of rights."""

    protected: bool
    operators: tuple[str, ...] = ()
    """Addresses outside the network that reach it; all, where it is not protected and none is named."""


class Key(Resource, frozen=True, kw_only=True):
    """A key that never leaves the vault."""

    purpose: str


class Password(Resource, frozen=True, kw_only=True):
    """A password that nobody chose."""


class Secret(Resource, frozen=True, kw_only=True):
    """A secret; its text is made of others, or filled in by hand."""

    key: str
    """Its name in the vault."""
    text: Value | None = None
    purpose: str = ""


class Registry(Resource, frozen=True, kw_only=True):
    """Where images are."""

    tier: str
    copied: str = ""
    """Another region that has each image, too; empty where none does."""
    operators: tuple[str, ...] = ()
    """Addresses outside the network that reach one with an address inside, to bring images."""


class Identity(Resource, frozen=True, kw_only=True):
    """Who a program is: a managed identity, for which there is no password."""

    trusts: Literal["service", "pipelines"] = "service"
    repository: str = ""
    account: str = ""
    """Account of a cluster that may be it, as ``NAMESPACE:NAME``."""


class Grade(Resource, frozen=True, kw_only=True):
    """A role of our own, where each of Azure's would allow more."""

    actions: tuple[str, ...]


class Right(Resource, frozen=True, kw_only=True):
    """What an identity may do with what: a role on one thing."""

    identity: str
    """Its name; empty for whoever applies the files."""
    role: str
    """A role that Azure has, or the name of a `Grade`."""
    scope: Ref


class Logs(Resource, frozen=True, kw_only=True):
    """Where lines of logs and traces are kept."""

    days: int


class Place(Resource, frozen=True, kw_only=True):
    """Where container apps run."""

    redundant: bool
    """Whether they are spread over zones."""


class Scaler(msgspec.Struct, frozen=True, kw_only=True):
    """Something that more replicas follow: a rule of KEDA."""

    name: str
    kind: str
    about: Mapping[str, Value]
    identified: bool = False
    """Whether it asks as the service's identity."""


class Workload(Resource, frozen=True, kw_only=True):
    """A service: a container app, how many replicas there are, and what it is told."""

    cpu: int
    """Units; 1,024 are one processor."""
    memory: int
    """MiB."""
    version: str
    least: int
    most: int
    busy: int
    scalers: tuple[Scaler, ...]
    port: int
    reached: bool
    exposed: bool
    environment: Mapping[str, Value]
    secrets: Mapping[str, str] = {}
    """Variable → secret."""
    files: Mapping[str, str] = {}
    """File → secret."""
    grace: int
    """Seconds from the signal to end until it is killed."""
    dapr: bool = False
    """Whether Dapr runs beside it."""
    migrates: bool = False


class Operator(Resource, frozen=True, kw_only=True):
    """A job that declares streams, started by whoever delivers."""

    image: str
    version: str
    environment: Mapping[str, Value]


class Postgres(Resource, frozen=True, kw_only=True):
    """A flexible server with one database."""

    size: str
    storage: int
    database: str
    role: str
    copies: int
    """2 where another zone has one that takes over; a copy of another region has one by then."""
    keep: int
    far: bool
    protected: bool
    extensions: tuple[str, ...] = ()
    follows: str = ""
    """The server of the first region of which it is a copy, until it takes over."""


class Cache(Resource, frozen=True, kw_only=True):
    """A Managed Redis."""

    size: str
    copies: int


class Account(Resource, frozen=True, kw_only=True):
    """A storage account with one container."""

    protected: bool
    keep: int
    far: bool = False
    """Whether another region has a copy."""
    origins: tuple[str, ...] = ()

    @property
    def copies(self) -> str:
        """How its copies lie, as Azure calls it: in one place, in three zones, or in another region besides."""
        return {(True, True): "GZRS", (True, False): "ZRS", (False, True): "GRS"}.get((self.protected, self.far), "LRS")


class Bus(Resource, frozen=True, kw_only=True):
    """A namespace of Service Bus."""

    tier: str


class Topic(Resource, frozen=True, kw_only=True):
    """A stream."""

    seconds: int
    """For which messages are kept; 0 keeps them until they are removed."""


class Subscription(Resource, frozen=True, kw_only=True):
    """A consumer of a topic, with one session."""

    topic: str
    key: str
    """Its name there."""
    lock: int
    """Seconds."""
    seconds: int
    deliveries: int
    subjects: tuple[str, ...] = ()


class Mail(Resource, frozen=True, kw_only=True):
    """Communication Services, by which services send e-mail, and the domain in whose name it goes out."""

    data: str
    """Part of the world in which mail is kept, as Azure calls it."""
    domain: str = ""
    """Azure's own when empty."""
    sender: str = ""
    """What stands before the @; the one that every domain has when empty."""
    verified: bool = False

    @property
    def sends(self) -> bool:
        """Whether mail goes out: a domain of ours is seen first."""
        return not self.domain or self.verified


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that the door serves."""

    name: str
    method: str
    path: str
    summary: str
    service: str
    policy: str
    """What is done with its requests, as API Management's XML."""


class Door(Resource, frozen=True, kw_only=True):
    """The door from outside: API Management with one API of all exposed operations."""

    tier: str
    publisher: str
    policy: str
    """What is done with all requests."""
    operations: tuple[Operation, ...]
    services: tuple[str, ...]
    host: str = ""
    certificate: str = ""
    delegated: bool = False
    """Whether its tier only looks into the network; others live in it."""


class Alarm(Resource, frozen=True, kw_only=True):
    """Something that somebody should hear of."""

    about: Ref
    namespace: str
    metric: str
    statistic: str
    above: float
    minutes: int = 5
    below: bool = False
    dimension: tuple[str, tuple[Value, ...]] | None = None
    severity: int = 2


class Watch(Resource, frozen=True, kw_only=True):
    """Who hears alarms, and the budget."""

    email: str
    budget: int


class Lock(Resource, frozen=True, kw_only=True):
    """Keeps something from being deleted by mistake."""

    of: Ref


class Cluster(Resource, frozen=True, kw_only=True):
    """A cluster of Kubernetes with Istio, for what ``shoal deploy kubernetes`` writes."""

    node: str
    least: int
    most: int
    protected: bool
