"""The one naming law: every generated name comes from here, within its platform's limits."""

import hashlib
import re
import zlib

from shoal.errors import DeclarationError

_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_EVENT = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")

RESERVED = frozenset(
    {"aws", "blob", "envoy", "firestore", "gateway", "kafka", "limiter", "mailbox", "mongo", "nats", "objects"}
    | {"dashboard", "operator", "postgres", "pubsub", "rabbitmq", "s3", "valkey"}
    | {"template0", "template1"}  # databases that PostgreSQL makes itself
    | {"current-role", "current-user", "none", "public", "session-user"}  # names that it refuses as roles
)
"""Names that no service can have: its process, its database or its role would be another's."""

LABEL_LIMIT = 63
"""Characters of a DNS label (RFC 1035, 2.3.4)."""


def check_label(kind: str, name: str, *, where: str = "") -> str:
    """Return `name` when it is a DNS label of at most 40 characters, else raise `DeclarationError`.

    40 leaves room for the system's name beside it in every derived name.
    """
    if len(name) <= 40 and _LABEL.fullmatch(name):
        return name
    raise DeclarationError(
        f"{kind} name {name!r} is not a DNS label",
        hint="use lower-case letters, digits and hyphens, at most 40 characters, starting with a letter",
        where=where,
    )


def check_service(name: str, *, where: str = "") -> str:
    """Return `name` when a service can have it, else raise `DeclarationError`."""
    check_label("service", name, where=where)
    if name in RESERVED or name.startswith("pg-"):
        raise DeclarationError(
            f"service name {name!r} is reserved for what runs beside the services",
            hint="name it after what it does",
            where=where,
        )
    return name


def check_event(name: str, *, where: str = "") -> str:
    """Return `name` when it reads ``owner.happened``, else raise `DeclarationError`."""
    if len(name) <= 80 and _EVENT.fullmatch(name):
        return name
    raise DeclarationError(
        f"event name {name!r} is not of the form 'owner.happened'",
        hint="use dotted lower-case words, such as 'orders.placed'",
        where=where,
    )


def shorten(name: str, limit: int = LABEL_LIMIT) -> str:
    """Trim `name` from the front to `limit` characters, keeping it unique by a hash of the whole."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{digest}-{name[-(limit - 9) :].lstrip('-')}"


def event_id(name: str, version: int) -> str:
    """Name one version of an event type, as CloudEvents ``type``: ``orders.placed.v1``."""
    return f"{name}.v{version}"


def remembered(event: str) -> str:
    """Name an event id as inboxes remember it: without its version, so that no version is handled after another."""
    name, dot, version = event.rpartition(".v")
    return name if dot and version.isdigit() else event


def identity(system: str, service: str) -> str:
    """Name a workload's SPIFFE identity (SPIFFE ID, section 2)."""
    return f"spiffe://{system}/{service}"


def stream(system: str, service: str) -> str:
    """Name the stream that holds a producer's events; hyphens stay, so that no two names meet."""
    return f"{system}_{service}".upper()


PARTS = 4
"""Parts of every event type; one member of a consumer works off one part at a time, in order."""


def part_of(key: str) -> int:
    """Tell the part that events of a key go to: the same for ever, so that their order holds."""
    return zlib.crc32(key.encode()) % PARTS


def subject(system: str, event: str, part: int | str) -> str:
    """Name the broker subject of an event type's part; ``*`` means all of them."""
    return f"{system}.event.{event}.{part}"


def durable(service: str, part: int | str) -> str:
    """Name the durable consumer of a service for one part."""
    return f"{database(service)}-{part}"


def again_subject(system: str, service: str) -> str:
    """Name the subject of dead letters that somebody sent to their consumer once more."""
    return f"{system}.again.{service}"


def dead_letter_stream(system: str, service: str) -> str:
    """Name the stream of a consumer's dead letters."""
    return stream(system, f"{service}_dead")


def dead_letter_subject(system: str, service: str) -> str:
    """Name the subject of a consumer's dead letters."""
    return f"{system}.dead.{service}"


def database(service: str) -> str:
    """Name a service's own database and its role."""
    return service.replace("-", "_")


def bucket(system: str, service: str) -> str:
    """Name the place of a service's objects, within the limits of S3's buckets, whose names all customers share."""
    return shorten(f"{system}-{service}")


def cache_part(system: str, service: str) -> str:
    """Name a service's part of a cache: how its keys begin."""
    return f"{system}:{service}"


def variable(service: str, setting: str) -> str:
    """Name the environment variable of a service's setting: ``ORDERS__PROVIDER_URL``."""
    return f"{service}__{setting}".replace("-", "_").upper()
