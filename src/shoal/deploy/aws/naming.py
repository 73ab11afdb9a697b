"""AWS's limits of names, and what its driver calls topics and queues. Pure.

Sources: quotas of ECS, Elastic Load Balancing (32 characters), IAM (64), RDS and DocumentDB (63), ElastiCache (40),
OpenSearch (28), S3 (63), Redshift Serverless (63), pipes of EventBridge (64), SQS and SNS (80 and 256 with ``.fifo``;
`shoal.drivers.sns.wire` names those).
"""

import hashlib

BALANCER, ROLE, DATABASE, CACHE, DOMAIN, BUCKET = 32, 64, 63, 40, 28, 63
WORKGROUP, PIPE = 63, 64

_QUEUE = 80 - len(".fifo")


def topic(stream: str) -> str:
    """Name the topic of a stream, as the driver does."""
    return f"{stream}.fifo"


def queue(stream: str, consumer: str) -> str:
    """Name the queue of a consumer, as the driver does."""
    name = f"{stream}-{consumer}"
    if len(name) > _QUEUE:
        name = f"{hashlib.sha256(name.encode()).hexdigest()[:12]}-{name[13 - _QUEUE :].lstrip('-')}"
    return f"{name}.fifo"
