"""What prices are for, by the kind that their names begin with: ``rds.db.t4g.micro.hour`` is data. Pure data."""

from collections.abc import Mapping

GROUPS = ("compute", "data", "messages", "edge", "network", "watching", "other")
"""In the order in which they are shown."""

_KINDS: Mapping[str, tuple[str, ...]] = {
    "compute": ("fargate", "eks", "ec2", "containerapps", "aks", "vm", "run", "gke", "gce", "autopilot"),
    "data": (
        *("rds", "docdb", "dynamodb", "s3", "valkey", "opensearch", "redshift", "ebs"),
        *("postgres", "cosmos", "redis", "storage", "disk", "sql", "cloudsql", "firestore", "memorystore", "bigquery"),
    ),
    "messages": ("sns", "sqs", "eventbridge", "ses", "servicebus", "eventgrid", "email", "pubsub", "tasks"),
    "edge": ("api", "apim", "alb", "nlb", "gateway", "lb", "waf", "egress", "frontdoor", "armor"),
    "network": ("nat", "endpoint", "address", "zones", "private", "dns", "vpc"),
    "watching": ("logs", "alarm", "metrics", "insights", "traces", "monitor", "monitoring", "logging", "trace"),
    "other": ("secret", "key", "ecr", "acr", "registry", "keyvault", "kms", "cognito"),
}
_GROUP = {kind: group for group, kinds in _KINDS.items() for kind in kinds}


def group_of(price: str) -> str:
    """Say what a price is for; other things where nobody has said."""
    return _GROUP.get(price.partition(".")[0], "other")
