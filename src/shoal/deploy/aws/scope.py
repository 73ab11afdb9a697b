"""What every part of the compiler is given, and what it asks of it. Pure."""

from shoal.deploy.aws.settings import Environment
from shoal.deploy.cloud import scope as cloud

OWN = ("postgres", "dynamodb", "mongo", "sns", "valkey", "opensearch", "s3", "redshift")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(cloud.Scope, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    valkey: tuple[str, ...] = ()
    """Commands that a user of the cache may give, as access lists spell them."""

    @property
    def operated(self) -> bool:
        """Whether there are topics and queues of AWS, which an operator's task declares."""
        return bool(self.plan.streams and self.users("sns"))
