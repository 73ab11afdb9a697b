"""What a system takes on Google Cloud, without syntax. Printers write these, `shoal cost` prices these. Pure data."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.deploy.cloud import resource
from shoal.deploy.cloud.values import Ref, Value


class Resource(resource.Resource, frozen=True, kw_only=True):
    """One thing on Google Cloud; several of Terraform's resources may stand for it."""


class Interfaces(Resource, frozen=True, kw_only=True):
    """Interfaces of Google that the project has to have switched on."""

    names: tuple[str, ...]


class Network(Resource, frozen=True, kw_only=True):
    """A network without a public address in it; a region's subnet is in all of its zones."""

    cidr: str
    region: str
    gateway: bool
    """Whether there is a NAT gateway."""
    peered: bool
    """Whether databases that Google runs are reached in it (private services access)."""
    connected: bool
    """Whether caches are (Private Service Connect)."""
    balanced: bool = False
    """Whether a balancer inside has a subnet for its proxies."""
    there: bool = False
    """Whether the network is there, since it is the first region's, too, and only what a region has is made."""


class Passage(Resource, frozen=True, kw_only=True):
    """What may be reached from inside: a rule of the firewall for what leaves."""

    tags: tuple[str, ...]
    """Whose rule it is; everybody's when empty."""
    ports: tuple[int, ...]
    to: tuple[Value, ...]
    """Ranges of addresses."""
    refuses: bool = False


class Key(Resource, frozen=True, kw_only=True):
    """A symmetric key of Cloud KMS; it cannot be removed, only its versions can."""

    purpose: str
    agents: tuple[str, ...] = ()
    """Google's own accounts that encrypt with it: ``pubsub``."""
    wide: bool = False
    """Whether it is in more than one region."""


class Repository(Resource, frozen=True, kw_only=True):
    """Where images are."""

    keep: int = 30


class Grade(Resource, frozen=True, kw_only=True):
    """A role of the project's own, for what no role of Google allows by itself."""

    title: str
    permissions: tuple[str, ...]


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one account on one thing."""

    role: str
    """``roles/run.invoker``, or the name of a `Grade`."""
    on: Ref | None = None
    """The thing; the project when None."""
    when: str = ""
    """Condition (CEL) that narrows a role on the project to one thing."""
    why: str = ""


class Account(Resource, frozen=True, kw_only=True):
    """A service account: who a program is. It has no key."""

    account: str
    """Its id, 6 to 30 characters."""
    rights: tuple[Right, ...]
    repository: str = ""
    """OWNER/NAME whose pipelines become it."""
    namespace: str = ""
    """Namespace of a cluster whose account of that name it is; then Google knows it as such, and there is no other."""


class Turn(Resource, frozen=True, kw_only=True):
    """What a service of the first region may do until the second takes over, so that it does not work on beside it."""

    account: str
    """Its id."""
    rights: tuple[Right, ...]


class Workload(Resource, frozen=True, kw_only=True):
    """A service on Cloud Run: how large its instances are, how many there are, and what they are told."""

    processors: int
    memory: int
    """MiB."""
    version: str
    least: int
    most: int
    together: int
    """Requests that an instance takes at a time."""
    always: bool
    """Whether it has its processors while nobody asks it."""
    seconds: int
    """How long the longest request may take."""
    port: int
    entry: Literal["everybody", "balancer", "inside"]
    """Who can connect: from everywhere (whom IAM allows), the balancer and those inside, or only those inside."""
    open: bool
    """Whether who connects need not say who they are; what is asked is verified by the service."""
    account: str
    environment: Mapping[str, Value]
    secrets: Mapping[str, Ref]
    files: Mapping[str, Ref] = {}
    """Path → secret with its text."""
    collector: str = ""
    protected: bool = False
    """Whether it is not removed by mistake."""


class Operator(Resource, frozen=True, kw_only=True):
    """A job that declares streams, run by whoever delivers."""

    image: str
    version: str
    account: str
    environment: Mapping[str, Value]


class Postgres(Resource, frozen=True, kw_only=True):
    """One database on an instance of its own."""

    tier: str
    storage: int
    database: str
    role: str
    copies: int
    """2 where another zone has one that takes over."""
    keep: int
    connections: int
    protected: bool
    followed: bool = False
    """Whether a copy in another region follows it."""
    follows: str = ""
    """The instance of the first region of which it is a copy, until it takes over."""


class Documents(Resource, frozen=True, kw_only=True):
    """A database of Firestore, billed by what is read and written."""

    database: str
    protected: bool
    location: str
    """A region, or a part of the world (``nam5``, ``eur3``), of which two regions have each document."""
    wide: bool = False


class Bucket(Resource, frozen=True, kw_only=True):
    """A bucket of Cloud Storage."""

    bucket: str
    protected: bool
    origins: tuple[str, ...] = ()
    regions: tuple[str, ...]
    """One, or the two that have each object."""


class Dataset(Resource, frozen=True, kw_only=True):
    """A dataset of BigQuery, which one service writes."""

    dataset: str
    account: str
    protected: bool


class Cache(Resource, frozen=True, kw_only=True):
    """An instance of Memorystore with Valkey."""

    node: str
    copies: int
    protected: bool


class Topic(Resource, frozen=True, kw_only=True):
    """A stream: a topic whose messages stay in the region in which they are published."""

    regions: tuple[str, ...]
    """Where messages may stay."""


class Subscription(Resource, frozen=True, kw_only=True):
    """A consumer: an ordered subscription of a topic."""

    topic: str
    consumer: str
    """Its name; empty for what keeps letters, and for whose turn it is to read them."""
    deadline: int
    """Seconds for which a message stays in the hand of who says nothing."""
    keeping: int
    """Seconds that an unanswered message is kept."""
    filter: str = ""
    part: str = ""
    """The stream that it is a part of."""


class Secret(Resource, frozen=True, kw_only=True):
    """A secret; its text is made of others, or filled in by hand."""

    secret: str
    """Its id."""
    text: Value | None = None
    purpose: str = ""
    regions: tuple[str, ...]
    """Where it is kept."""


class Password(Resource, frozen=True, kw_only=True):
    """A password that nobody chose."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How often a caller may ask: counted at the door over some seconds."""

    count: int
    seconds: int
    by: Literal["everyone", "address"]
    """What tells callers apart: nothing, or their address."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that the door serves."""

    method: str
    path: str
    """Template: ``/orders/{order_id}``."""
    inside: str
    """Template that the service knows."""
    service: str
    seconds: float
    set: Mapping[str, str] = {}
    """Headers of a request that are overwritten."""
    add: Mapping[str, str] = {}
    remove: tuple[str, ...] = ()
    limit: Limit | None = None
    parameters: Mapping[str, str] = {}
    """Parameters of the path and the types of their values."""
    summary: str = ""


class Door(Resource, frozen=True, kw_only=True):
    """What clients call; `kind` says which of the two kinds there is."""

    kind: Literal["balancer", "gateway"]
    routes: tuple[Route, ...]
    hosts: tuple[str, ...] = ()
    firewall: bool = False
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    age: int = 0
    region: str = ""
    """The first region, to which it leads until the second takes over; empty where there is one region."""


class Reached(Resource, frozen=True, kw_only=True):
    """A service as a balancer finds it that belongs to another root module; it bears the service's name."""


class Inside(Resource, frozen=True, kw_only=True):
    """A balancer inside: ``http://SERVICE.SYSTEM.internal``."""

    domain: str
    services: tuple[str, ...]


class Pods(msgspec.Struct, frozen=True, kw_only=True):
    """The pods of one service, as manifests ask for them, each with the mesh's proxy beside it."""

    service: str
    least: int
    most: int
    millis: int
    """Thousandths of a processor that each is promised."""
    memory: int
    """MiB that each is promised."""


class Cluster(Resource, frozen=True, kw_only=True):
    """A cluster of GKE in the mesh of Google (Cloud Service Mesh), whose accounts Google knows."""

    protected: bool
    pods: tuple[Pods, ...]
    """What runs in it: Google bills what pods are promised, and no nodes."""
    exposed: bool
    """Whether clients call it."""


class Logs(Resource, frozen=True, kw_only=True):
    """Where lines of logs are kept."""

    days: int


class Alarm(Resource, frozen=True, kw_only=True):
    """Something that somebody should hear of."""

    metric: str
    """Its type: ``run.googleapis.com/request_count``."""
    resource: str
    """Type of what is monitored: ``cloud_run_revision``."""
    labels: Mapping[str, str]
    """Which of them; a value that begins with ``=~`` is a regular expression."""
    each: str
    """Label by whose values it looks at each of them by itself."""
    aligner: str
    reducer: str
    above: float
    minutes: int = 5
    silent: bool = False
    """Whether somebody hears, too, that nothing is measured any more, until a second region takes over."""


class Watch(Resource, frozen=True, kw_only=True):
    """Who hears alarms, and the budget."""

    email: str
    budget: int
    billing: str
