"""Roles: what each service may do follows from what it declares, and nothing else is allowed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from shoal.deploy.aws import naming
from shoal.deploy.aws.messages import LETTERS
from shoal.deploy.aws.resources import Resource, Right, Role
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.workloads import OPERATOR
from shoal.deploy.cloud.files import ALL
from shoal.deploy.cloud.needs import Need, Verb, needs
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.values import ACCOUNT, Join, Ref, join
from shoal.model import names
from shoal.model.plan import ServicePlan

DELIVERY, COPYING = "delivery", "copying"

_ITEMS = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
_QUEUE = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueUrl", "GetQueueAttributes")


def start(service: str) -> str:
    """Name the role that starts the tasks of a service."""
    return f"{service}-start"


def make(scope: Scope) -> Iterator[Resource]:
    """Make the role that each service is, and on Fargate the one of who starts it."""
    eks, source = scope.environment.eks, scope.declared
    kind: Literal["pods", "tasks"] = "pods" if eks else "tasks"
    for one in scope.plan.services:
        name, rights = one.name, tuple(_service(scope, one))
        yield Role(name=name, service=name, trusts=kind, source=source(one).source, rights=rights)
        if not eks:
            rights = tuple(_start(scope, name, (name, ALL)))
            yield Role(name=start(name), service=name, trusts=kind, rights=rights)
    if scope.operated:
        why = "Declares streams, and nothing else."
        yield Role(name=OPERATOR, trusts=kind, rights=tuple(_operator(scope)), why=why)
    if scope.operated and not eks:
        why, rights = "Its task holds no secret, so it reads none.", tuple(_start(scope, _operators_image(scope), ()))
        yield Role(name=start(OPERATOR), trusts=kind, rights=rights, why=why)
    if scope.environment.repository:
        owner, rights = scope.environment.repository, tuple(_delivery(scope))
        yield Role(name=DELIVERY, trusts="pipelines", repository=owner, rights=rights)
    if scope.environment.standby is not None and scope.users("s3"):
        why = "Copies objects into the second region, and back from it once it has taken over."
        yield Role(name=COPYING, trusts="objects", rights=tuple(_copying(scope)), why=why)


def _operators_image(scope: Scope) -> str:
    return next(service.name for service in scope.plan.services if service.broker is not None)


def _service(scope: Scope, service: ServicePlan) -> Iterator[Right]:
    wanted = [*needs(scope, service)]
    for verb, make_right in _RIGHTS.items():
        some = [one for one in wanted if one.verb == verb and one.server in _KNOWN]
        if some:
            yield make_right(some)
    servers = {one.server for one in wanted}
    if "sns" in servers:
        yield Right(actions=("ssm:GetParametersByPath",), resources=_streams(scope), why="Which streams there are.")
    if "s3" in servers:
        yield Right(actions=("s3:ListBucket",), resources=(Ref("bucket", service.name),))
    if "redshift" in servers:
        why = "What became of its own statements, which have no name that could be said before."
        whose = {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}
        asked = ("redshift-data:DescribeStatement", "redshift-data:GetStatementResult")
        yield Right(actions=asked, resources=("*",), when=whose, why=why)
    if through := sorted(servers & {"sns", "s3"}):
        yield _encryption(("kms:Decrypt", "kms:GenerateDataKey"), *(_by(scope, one) for one in through))
    if scope.environment.collector and not scope.environment.eks:
        why = "Traces; there is nothing narrower that could be named."
        yield Right(actions=("xray:PutTraceSegments", "xray:PutTelemetryRecords"), resources=("*",), why=why)
        own = join(Ref("logs", service.name), ":*")
        why = "Metrics, which its collector writes as lines of its log."
        yield Right(actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(own,), why=why)


def _publish(some: Sequence[Need]) -> Right:
    topics = tuple(Ref("topic", one.thing) for one in some)
    return Right(actions=("sns:Publish", "sns:GetTopicAttributes"), resources=topics, why=some[0].why)


def _hear(some: Sequence[Need]) -> Right:
    queues = tuple(Ref("queue", f"{one.thing}-{one.consumer}") for one in some)
    actions = tuple(f"sqs:{action}" for action in (*_QUEUE, "ListQueueTags"))
    return Right(actions=actions, resources=queues, why=some[0].why)


def _store(some: Sequence[Need]) -> Right:
    actions = tuple(f"dynamodb:{action}" for action in _ITEMS)
    return Right(actions=actions, resources=(Ref("table", some[0].thing),), why=some[0].why)


def _keep(some: Sequence[Need]) -> Right:
    actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
    return Right(actions=actions, resources=(join(Ref("bucket", some[0].thing), "/*"),), why=some[0].why)


def _wrap(some: Sequence[Need]) -> Right:
    actions = ("kms:DescribeKey", "kms:Encrypt", "kms:Decrypt")
    return Right(actions=actions, resources=(Ref("key", f"personal-{some[0].thing}"),), why=some[0].why)


def _mail(some: Sequence[Need]) -> Right:
    actions = ("ses:SendEmail", "ses:SendRawEmail")  # SES asks for the second where a letter comes as a whole
    return Right(actions=actions, resources=(Ref("address", some[0].thing),), why=some[0].why)


def _report(some: Sequence[Need]) -> Right:
    actions = (
        "redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement", "redshift-serverless:GetCredentials",
    )  # fmt: skip
    return Right(actions=actions, resources=(Ref("warehouse", some[0].thing),), why=some[0].why)


_RIGHTS: Mapping[Verb, Callable[[Sequence[Need]], Right]] = {
    "publish": _publish,
    "hear": _hear,
    "store": _store,
    "keep": _keep,
    "wrap": _wrap,
    "mail": _mail,
    "report": _report,
}
_KNOWN = ("sns", "dynamodb", "s3", "redshift", "")
"""Servers that ask AWS who somebody is; the others ask for a password."""


def _streams(scope: Scope) -> tuple[Join, ...]:
    path = f"parameter/shoal/{scope.system}/streams"
    start = f"arn:aws:ssm:{scope.environment.region}:"
    return (join(start, ACCOUNT, f":{path}"), join(start, ACCOUNT, f":{path}/*"))


VIA = "kms:ViaService"
"""Condition on who asks for a key in somebody's name: what else the key encrypts stays closed to him."""


def _by(scope: Scope, service: str) -> str:
    return f"{service}.{scope.environment.region}.amazonaws.com"


def _encryption(actions: tuple[str, ...], *through: str) -> Right:
    why = "What lies there is encrypted; the key is used there alone."
    return Right(actions=actions, resources=(Ref("key", "data"),), when={VIA: through}, why=why)


def _start(scope: Scope, image: str, owners: Sequence[str]) -> Iterator[Right]:
    """Fetch an image, write its log and read secrets of their owners: what AWS does before and beside a task."""
    images = [image, *(["collector"] if scope.environment.collector else [])]
    yield Right(
        actions=("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        resources=tuple(Ref("repository", name) for name in images),
    )
    yield Right(actions=("ecr:GetAuthorizationToken",), resources=("*",), why="It knows no narrower one.")
    yield Right(actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(join(Ref("logs", image), ":*"),))
    if owners:
        start = f"arn:aws:secretsmanager:{scope.environment.region}:"
        names = dict.fromkeys((scope.named(), scope.origin().named()))
        read = tuple(join(start, ACCOUNT, f":secret:{name}/{owner}/*") for name in names for owner in owners)
        yield Right(actions=("secretsmanager:GetSecretValue",), resources=read, why="Its own secrets.")
        yield _encryption(("kms:Decrypt",), _by(scope, "secretsmanager"))


def _operator(scope: Scope) -> Iterator[Right]:
    """Make and adapt the system's own topics and queues; it reads and sends no message.

    They are named by how they begin: one by one, a larger system's would not fit into a policy (10,240 characters).
    """
    topics, queues = (_own(scope, one) for one in ("sns", "sqs"))
    odd = [name for name in _queues(scope) if not name.startswith(_prefix(scope))]
    yield Right(
        actions=(
            "sns:CreateTopic", "sns:GetTopicAttributes", "sns:Subscribe", "sns:ListSubscriptionsByTopic",
            "sns:SetSubscriptionAttributes",
        ),
        resources=(topics,),
    )  # fmt: skip
    yield Right(actions=("sns:ListTopics", "sns:SetSubscriptionAttributes"), resources=("*",))
    yield Right(
        actions=(
            "sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes",
            "sqs:ListQueueTags", "sqs:TagQueue",
        ),
        resources=(queues, *(join(f"arn:aws:sqs:{scope.environment.region}:", ACCOUNT, f":{name}") for name in odd)),
    )  # fmt: skip
    yield Right(actions=("ssm:GetParametersByPath", "ssm:PutParameter"), resources=_streams(scope))


def _own(scope: Scope, kind: str) -> Join:
    return join(f"arn:aws:{kind}:{scope.environment.region}:", ACCOUNT, f":{_prefix(scope)}*.fifo")


def _prefix(scope: Scope) -> str:
    """Say how the names of a system's topics and queues begin; very long ones are hashed."""
    return names.stream(scope.system, "")


def _queues(scope: Scope) -> Iterator[str]:
    for service in scope.plan.services:
        for one in service.broker.consumers if service.broker is not None else ():
            yield naming.queue(one.stream, one.durable)
    for stream in scope.plan.streams:
        if stream.letters:
            yield naming.queue(stream.name, LETTERS)


def _delivery(scope: Scope) -> Iterator[Right]:
    """Push images, and deliver them, into both regions where there are two: one may be gone for days."""
    yield from _pushing(scope.both())
    if not scope.environment.eks:
        yield Right(actions=("ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"), resources=("*",))
    for one in scope.both():
        yield from _delivering(one)


def _pushing(regions: Sequence[Scope]) -> Iterator[Right]:
    yield Right(actions=("ecr:GetAuthorizationToken",), resources=("*",))
    yield Right(
        actions=(
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
            "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ),
        resources=tuple(
            join(f"arn:aws:ecr:{one.environment.region}:", ACCOUNT, f":repository/{one.system}/*") for one in regions
        ),
    )  # fmt: skip


def _delivering(scope: Scope) -> Iterator[Right]:
    """Write new versions of tasks, and run them as the roles of tasks."""
    here = f"{scope.environment.region}:"
    if scope.environment.eks:
        named = join(f"arn:aws:eks:{here}", ACCOUNT, f":cluster/{scope.named()}")
        why = "Where the cluster is; what may be changed in it is an entry of its own."
        yield Right(actions=("eks:DescribeCluster",), resources=(named,), why=why)
        return
    yield Right(
        actions=("ecs:DescribeServices", "ecs:UpdateService"),
        resources=(join(f"arn:aws:ecs:{here}", ACCOUNT, f":service/{scope.named()}/*"),),
    )
    tasks = join(f"arn:aws:ecs:{here}", ACCOUNT, f":task-definition/{scope.named()}-*")
    yield Right(actions=("ecs:RunTask",), resources=(tasks,), why="Migrations and streams.")
    roles = join("arn:aws:iam::", ACCOUNT, f":role{path(scope)}*")
    why = "Roles of tasks have a path of their own; that of pipelines is not among them."
    passed = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    yield Right(actions=("iam:PassRole",), resources=(roles,), when=passed, why=why)


def _copying(scope: Scope) -> Iterator[Right]:
    """Read each bucket and write its copy, and the other way: what S3 does for us, with the keys of both."""
    buckets = [user.name for user in scope.users("s3")]
    both = [Ref("bucket", name) for one in buckets for name in (one, f"{one}-{STANDBY}")]
    inside = tuple(join(one, "/*") for one in both)
    yield Right(actions=("s3:GetReplicationConfiguration", "s3:ListBucket"), resources=tuple(both))
    read = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")
    written = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
    yield Right(actions=(*read, *written), resources=inside)
    keys, regions = (Ref("key", "data"), Ref("key", f"data-{STANDBY}")), (scope, scope.standing_by())
    through = {VIA: tuple(_by(one, "s3") for one in regions if one is not None)}
    yield Right(actions=("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), resources=keys, when=through)


def path(scope: Scope) -> str:
    """Name the path of the roles that tasks take on."""
    return f"/{scope.named()}/"
