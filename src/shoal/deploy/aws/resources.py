"""What a system takes on AWS, without syntax. Printers write these, and `shoal cost` prices these. Pure data."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shoal.deploy.cloud import resource as cloud
from shoal.deploy.cloud.values import Value


class Resource(cloud.Resource, frozen=True, kw_only=True):
    """One thing on AWS; several of Terraform's resources may stand for it."""


class Copied(Resource, frozen=True, kw_only=True):
    """Something of which a second region has a copy, where there is one.

    The region that copies makes the copies, so that they are there before anything is copied, and the second region
    looks them up by their names: it can be applied when the first is gone.
    """

    place: Literal["here", "abroad", "given"] = "here"
    """``abroad`` is a copy in the second region, which the first makes; ``given`` is that, as the second names it."""
    to: str = ""
    """Region into which this is copied; empty where it is not."""


class Network(Resource, frozen=True, kw_only=True):
    """A network with private subnets for services, others without any way out for engines, public ones for gateways."""

    cidr: str
    zones: int
    gateways: int
    endpoints: tuple[str, ...]
    """Interfaces of AWS that have an address inside."""
    region: str
    asleep: bool = False
    """Whether its ways out are there only from when it takes over."""


class Group(Resource, frozen=True, kw_only=True):
    """Who may connect to something: a security group."""

    port: int
    callers: tuple[str, ...]
    """Names of groups."""
    outside: tuple[int, ...] = ()
    """Ports of the internet to which it may connect."""


class Key(Copied, frozen=True, kw_only=True):
    """A key of the key management that encrypts what lies on disks, or wraps keys of personal data."""

    purpose: str
    lasting: bool = False
    """Whether nothing can be read again without it: it may have replicas, and is not removed by mistake."""
    of: str = ""
    """The key of which it is the replica, in another region."""


class Cluster(Resource, frozen=True, kw_only=True):
    """Where tasks run, and the namespace in which services find each other."""

    insights: bool
    """Whether metrics of each task and container are kept, which cost."""


class Repository(Copied, frozen=True, kw_only=True):
    """Where images are."""

    keep: int = 30
    image: str = ""
    """Whose images, where it is called otherwise here."""


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What a role may do with what."""

    actions: tuple[str, ...]
    resources: tuple[Value, ...]
    when: Mapping[str, str | tuple[str, ...]] = {}
    """Conditions (StringEquals); of several values one is enough."""
    why: str = ""


class Kubernetes(Resource, frozen=True, kw_only=True):
    """A cluster of Kubernetes, whose interface is reached from the network only."""

    version: str
    addons: Mapping[str, Mapping[str, object]]
    """Parts that Amazon looks after, and how they are set."""
    days: int
    """For which its logs are kept."""
    eksctl: bool
    """Whether it is made elsewhere, and only referred to."""
    protected: bool


class Nodes(Resource, frozen=True, kw_only=True):
    """Machines of a cluster, spread over the zones."""

    instance: str
    least: int
    most: int
    disk: int
    architecture: str
    spot: bool


class Identity(Resource, frozen=True, kw_only=True):
    """Which role the pods of an account in a cluster have (EKS Pod Identity)."""

    account: str
    namespace: str
    role: str


class Role(Resource, frozen=True, kw_only=True):
    """An identity that programs take on."""

    trusts: Literal["tasks", "pipelines", "pipes", "pods", "cluster", "nodes", "account", "objects"]
    """Who takes it on: ``account`` is one account of a cluster, by a token of it; ``objects`` is S3, which copies."""
    rights: tuple[Right, ...]
    managed: tuple[str, ...] = ()
    """Policies that Amazon keeps, by name."""
    subject: str = ""
    """``NAMESPACE:ACCOUNT`` of the cluster, for whom a token is asked."""
    repository: str = ""


class Fence(Resource, frozen=True, kw_only=True):
    """Roles of the first region that may do nothing while the second one works."""

    roles: tuple[str, ...]
    """What they are called there."""


class Workload(Resource, frozen=True, kw_only=True):
    """A service: tasks on Fargate, how many there are, and what they are told."""

    cpu: int
    memory: int
    architecture: str
    version: str
    least: int
    most: int
    busy: int
    spot: bool
    port: int
    exposed: bool
    environment: Mapping[str, Value]
    secrets: Mapping[str, Value]
    files: Mapping[str, str] = {}
    """File → variable with its text; written before the service starts."""
    grace: int
    """Seconds from the signal to end until it is killed."""
    drain: int
    collector: str = ""
    migrates: bool = False
    passive: int | None = None
    """Tasks that run in a second region until it takes over; None where this is the first."""


class Operator(Resource, frozen=True, kw_only=True):
    """A task that declares streams, run by whoever delivers."""

    image: str
    version: str
    architecture: str
    environment: Mapping[str, Value]


class Postgres(Resource, frozen=True, kw_only=True):
    """One database on an instance of its own."""

    instance: str
    storage: int
    database: str
    role: str
    copies: int
    """2 where another zone has one that takes over."""
    keep: int
    protected: bool
    replica: Value = ""
    """ARN of the database that this one follows until its region takes over; empty where it follows none."""


class Documents(Resource, frozen=True, kw_only=True):
    """A cluster of DocumentDB."""

    instance: str
    role: str
    copies: int
    keep: int
    protected: bool
    worldly: str = ""
    """Name of the cluster over two regions that it is a part of; empty where it is alone."""
    follows: bool = False
    """Whether it follows the one of the first region until its own takes over."""


class Table(Copied, frozen=True, kw_only=True):
    """A table of DynamoDB, billed by request."""

    protected: bool


class Bucket(Copied, frozen=True, kw_only=True):
    """A bucket of S3."""

    protected: bool
    origins: tuple[str, ...] = ()


class Copying(Resource, frozen=True, kw_only=True):
    """The copying of objects between a bucket and its copy, both ways."""


class Images(Resource, frozen=True, kw_only=True):
    """The copying of images into another region."""

    to: str


class Cache(Resource, frozen=True, kw_only=True):
    """A cluster of Valkey; users of it see their own keys."""

    instance: str
    copies: int
    users: Mapping[str, str]
    """User → what it may do, as access lists spell it."""
    asleep: bool = False
    """Whether there is one copy until its region takes over."""


class Search(Resource, frozen=True, kw_only=True):
    """A domain of OpenSearch."""

    instance: str
    nodes: int
    storage: int
    region: str


class Warehouse(Resource, frozen=True, kw_only=True):
    """A namespace of Redshift Serverless with one database, and the workgroup that answers for it."""

    database: str
    capacity: int
    """Redshift processing units (RPUs) with which it begins, and beyond which it does not grow."""
    pace: int
    """Seconds between two batches of facts: each is billed as a minute at least."""
    protected: bool


class Topic(Resource, frozen=True, kw_only=True):
    """A stream: an ordered topic."""


class Queue(Resource, frozen=True, kw_only=True):
    """A consumer: an ordered queue that hears a topic."""

    topic: str
    consumer: str
    """Its name; empty for the queue that keeps letters."""
    hidden: int
    subjects: tuple[str, ...]
    part: str = ""
    """The stream that it is a part of, for alarms."""


class Bus(Resource, frozen=True, kw_only=True):
    """A bus of EventBridge, which those outside hear by rules of theirs."""


class Pipe(Resource, frozen=True, kw_only=True):
    """What reads a queue and hands events on to a bus."""

    queue: str
    bus: str
    role: str
    events: tuple[str, ...]
    """Ids of what goes out."""


class Secret(Copied, frozen=True, kw_only=True):
    """A secret; its text is made of others, or filled in by hand."""

    text: Value | None = None
    purpose: str = ""
    regional: bool = False
    """Whether each region has its own, although somebody fills it in."""


class Password(Copied, frozen=True, kw_only=True):
    """A password that nobody chose."""

    stored: bool = False
    """Whether a database keeps it, and with it each of its copies."""


class Address(Resource, frozen=True, kw_only=True):
    """A sender of e-mail."""

    domain: str = ""
    """Empty where it is verified by hand, and named when files are applied."""
    zone: str = ""
    """Of Route 53, for the records of its keys; nobody's, and they are yours, when empty."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that the door serves."""

    key: str
    """``GET /orders/{order_id}``."""
    service: str
    parameters: Mapping[str, str] = {}
    """What is changed of a request (API Gateway, "Transforming API requests"): ``overwrite:path`` and its likes."""
    authorizer: str = ""
    seconds: float
    limit: tuple[int, int] | None = None
    """Requests a second of all callers together, and how many at once."""


class Door(Resource, frozen=True, kw_only=True):
    """The door from outside: an HTTP API, by a private link to a balancer inside."""

    routes: tuple[Route, ...]
    targets: Mapping[str, int]
    """Service → seconds that requests in progress get."""
    authorizers: Mapping[str, tuple[Value, tuple[Value, ...]]] = {}
    """Name → issuer and audiences of tokens."""
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    age: int = 0
    host: str = ""
    certificate: Value = ""
    zone: str = ""
    """Zone of Route 53 that has the record of the host; empty where it is somebody's own."""
    part: Literal["", "first", "second"] = ""
    """Which of two regions it is of, between which the second's record chooses; empty where it is alone."""
    web_acl: str = ""


class Certificate(Resource, frozen=True, kw_only=True):
    """A certificate of ACM, which a record in a zone of Route 53 proves."""

    host: str
    zone: str
    proven: bool = False
    """Whether the record that proves it is there already, of the same account's certificate in another region."""


class Pool(Resource, frozen=True, kw_only=True):
    """A user pool of Cognito with one client."""

    protected: bool
    host: str = ""


class Logs(Resource, frozen=True, kw_only=True):
    """Where lines of logs are kept."""

    days: int


class Alarm(Resource, frozen=True, kw_only=True):
    """Something that somebody should hear of."""

    metric: str
    namespace: str
    statistic: str
    dimensions: tuple[Mapping[str, Value], ...]
    """Of each of the metrics of which the highest counts."""
    above: float
    minutes: int = 5
    below: bool = False
    silent: bool = False
    """Whether somebody hears, too, that nothing is measured, until a second region takes over."""


class Watch(Resource, frozen=True, kw_only=True):
    """Who hears alarms, and the budget."""

    email: str
    budget: int
