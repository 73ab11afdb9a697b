"""What every part of the compiler is given, and what it asks of it. Pure."""

from shoal.deploy.aws import naming
from shoal.deploy.aws.settings import Environment
from shoal.deploy.cloud import scope as cloud
from shoal.deploy.cloud.settings import STANDBY

OWN = ("postgres", "dynamodb", "mongo", "sns", "valkey", "opensearch", "s3", "redshift")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(cloud.Scope, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    first: Environment | None = None
    """In a second region: the environment as it is in the first."""
    valkey: tuple[str, ...] = ()
    """Commands that a user of the cache may give, as access lists spell them."""

    @property
    def state(self) -> str:
        """Bucket of Terraform's state."""
        return self.environment.state or self.named("state", limit=naming.BUCKET)

    @property
    def asleep(self) -> bool:
        """Whether nothing runs here until this second region takes over."""
        return self.first is not None and self.first.standby is not None and not self.first.standby.copies

    def copied(self, *parts: str) -> str:
        """Name the copy that a second region has of something."""
        return self.origin().named(*parts, STANDBY)

    @property
    def operated(self) -> bool:
        """Whether there are topics and queues of AWS, which an operator's task declares."""
        return bool(self.plan.streams and self.users("sns"))
