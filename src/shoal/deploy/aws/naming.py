"""Names within AWS's limits, by one law. Pure.

Sources: quotas of ECS, Elastic Load Balancing (32 characters), IAM (64), RDS and DocumentDB (63), ElastiCache (40),
OpenSearch (28), S3 (63), SQS and SNS (80 and 256 with ``.fifo``; `shoal.drivers.sns.wire` names those).
"""

import hashlib

from shoal.model import names
from shoal.model.names import shorten

BALANCER, ROLE, DATABASE, CACHE, DOMAIN, BUCKET = 32, 64, 63, 40, 28, 63

_TAKEN = frozenset(
    {
        "admin",
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "both",
        "case",
        "cast",
        "check",
        "collate",
    }
    | {"column", "constraint", "create", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except"}
    | {"false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into"}
    | {"lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order", "placing", "primary"}
    | {"rdsadmin", "references", "returning", "root", "select", "some", "symmetric", "table", "then", "to", "trailing"}
    | {"true", "union", "unique", "user", "using", "variadic", "when", "where", "window", "with"}
)
"""Words that an engine keeps for itself (PostgreSQL, appendix C) or its operator does."""

_QUEUE = 80 - len(".fifo")


def joined(*parts: str, limit: int = DATABASE) -> str:
    """Join names; too long ones keep their end and a hash of the whole, which begins with a letter."""
    name = "-".join(part.replace("_", "-") for part in parts if part)
    while "--" in name:  # some services refuse two hyphens, so they are told apart by a hash
        name = f"{name.replace('--', '-')}-{hashlib.sha256(name.encode()).hexdigest()[:4]}"
    short = shorten(name, limit)
    return short if short == name else f"h{shorten(name, limit - 1)}"


def owner(service: str) -> str:
    """Name a service's own database and its user, as RDS and DocumentDB take them."""
    name = names.database(service)
    return f"{name}_own" if name in _TAKEN else name


def topic(stream: str) -> str:
    """Name the topic of a stream, as the driver does."""
    return f"{stream}.fifo"


def queue(stream: str, consumer: str) -> str:
    """Name the queue of a consumer, as the driver does."""
    name = f"{stream}-{consumer}"
    if len(name) > _QUEUE:
        name = f"{hashlib.sha256(name.encode()).hexdigest()[:12]}-{name[13 - _QUEUE :].lstrip('-')}"
    return f"{name}.fifo"
