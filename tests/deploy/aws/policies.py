"""Policies as AWS evaluates them: nothing is allowed but what a statement allows. References are put in place first."""

from fnmatch import fnmatchcase

from shoal.deploy.aws import naming
from shoal.deploy.aws.messages import LETTERS
from shoal.deploy.aws.resources import Queue, Resource, Role
from shoal.deploy.cloud.values import Join, Ref, Value
from tests.deploy.aws.samples import of_kind

HERE = "eu-central-1:100000000000"


def arn(ref: Ref, resources: tuple[Resource, ...], system: str, environment: str) -> str:
    """Spell what AWS would: the ARN of a resource of the sample."""
    if ref.kind == "queue":
        queue = of_kind(resources, Queue)[ref.name]
        return f"arn:aws:sqs:{HERE}:{naming.queue(queue.topic, queue.consumer or LETTERS)}"
    named = {
        "account": "100000000000",
        "topic": f"arn:aws:sns:{HERE}:{naming.topic(ref.name)}",
        "table": f"arn:aws:dynamodb:{HERE}:table/{system}-{environment}-{ref.name}",
        "bucket": f"arn:aws:s3:::{system}-{environment}-{ref.name}-100000000000",
        "key": f"arn:aws:kms:{HERE}:key/{ref.name}",
        "repository": f"arn:aws:ecr:{HERE}:repository/{system}/{ref.name}",
        "logs": f"arn:aws:logs:{HERE}:log-group:/{system}-{environment}/{ref.name}",
        "address": f"arn:aws:ses:{HERE}:identity/{ref.name}",
        "oidc": f"arn:aws:iam::100000000000:oidc-provider/{ref.name}",
        "bus": f"arn:aws:events:{HERE}:event-bus/{system}-{environment}-{ref.name}",
        "warehouse": f"arn:aws:redshift-serverless:{HERE}:workgroup/{ref.name}",
        "balancer": f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/{ref.name}",
    }
    return named[ref.kind]


class Policies:
    """All roles of a sample."""

    def __init__(self, resources: tuple[Resource, ...], system: str, environment: str) -> None:
        self.resources, self.system, self.environment = resources, system, environment
        self.roles = of_kind(resources, Role)

    def arn(self, kind: str, name: str) -> str:
        return arn(Ref(kind, name), self.resources, self.system, self.environment)

    def spelled(self, value: Value) -> str:
        if isinstance(value, Ref):
            return arn(value, self.resources, self.system, self.environment)
        if isinstance(value, Join):
            return "".join(self.spelled(part) for part in value.parts)
        return value

    def may(self, role: str, action: str, resource: str) -> bool:
        return any(
            any(fnmatchcase(action, one) for one in right.actions)
            and any(fnmatchcase(resource, self.spelled(one)) for one in right.resources)
            for right in self.roles[role].rights
        )
