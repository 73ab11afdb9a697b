"""Each service may do what it declared, and is denied what it did not: policies are evaluated, action by action."""

import json
from fnmatch import fnmatchcase

import pytest

from shoal.deploy.aws import naming
from shoal.deploy.aws.messages import LETTERS
from shoal.deploy.aws.rights import path
from shoal.model import names
from tests.deploy.aws.policies import HERE, Policies
from tests.deploy.aws.samples import artifacts, scope_of, shops
from tests.deploy.samples import shop

SERVICES = tuple(service.name for service in shop().services)
SHOP = Policies(shops(), "shop", "production")
ELSEWHERE = (
    "iam:CreateUser", "iam:AttachRolePolicy", "sts:AssumeRole", "s3:DeleteBucket", "s3:PutBucketPolicy",
    "dynamodb:DeleteTable", "dynamodb:Scan", "kms:ScheduleKeyDeletion", "kms:CreateGrant", "sns:DeleteTopic",
    "sqs:DeleteQueue", "sqs:PurgeQueue", "rds:DeleteDBInstance", "ecs:UpdateService", "ecs:ExecuteCommand",
    "logs:DeleteLogGroup", "secretsmanager:PutSecretValue", "ssm:PutParameter", "ec2:AuthorizeSecurityGroupIngress",
    "eks:UpdateClusterConfig", "cloudtrail:StopLogging",
    "redshift-serverless:DeleteNamespace", "redshift-serverless:UpdateWorkgroup",
)  # fmt: skip
"""What nobody does who serves requests, or starts who does."""
may = SHOP.may


def queues() -> list[str]:
    plan = scope_of(shop()).plan
    return [f"{c.stream}-{c.durable}" for s in plan.services if s.broker for c in s.broker.consumers]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_and_hears_what_it_declared_and_nothing_else(name: str) -> None:
    plan = scope_of(shop()).plan
    broker = plan.service(name).broker
    own = {broker.stream} if broker else set()
    heard = {f"{c.stream}-{c.durable}" for c in broker.consumers} if broker else set()
    if heard:
        own.add(names.dead_letter_stream("shop", name))
    for stream in plan.streams:
        assert may(name, "sns:Publish", SHOP.arn("topic", stream.name)) == (stream.name in own)
    for queue in queues():
        assert may(name, "sqs:ReceiveMessage", SHOP.arn("queue", queue)) == (queue in heard)
        assert not may(name, "sqs:SendMessage", SHOP.arn("queue", queue))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_its_own_and_sees_nobody_elses(name: str) -> None:
    scope = scope_of(shop())
    used = set(scope.uses(scope.plan.service(name)).values())
    personal = bool(shop().service(name).personal)
    for other in SERVICES:
        own, bucket = other == name, SHOP.arn("bucket", other)
        assert may(name, "dynamodb:PutItem", SHOP.arn("table", other)) == (own and "dynamodb" in used)
        assert may(name, "s3:GetObject", f"{bucket}/a/b") == (own and "s3" in used)
        assert may(name, "s3:ListBucket", bucket) == (own and "s3" in used)
        facts = SHOP.arn("warehouse", other)
        for action in ("redshift-data:BatchExecuteStatement", "redshift-serverless:GetCredentials"):
            assert may(name, action, facts) == (own and "redshift" in used)
        assert may(name, "kms:Encrypt", SHOP.arn("key", f"personal-{other}")) == (own and personal)


@pytest.mark.parametrize("role", sorted(SHOP.roles))
def test_no_role_does_what_nobody_declared(role: str) -> None:
    things = [SHOP.arn(kind, name) for kind in ("table", "bucket", "key", "repository", "logs") for name in SERVICES]
    things += [SHOP.arn("queue", queue) for queue in queues()]
    things += [f"arn:aws:rds:{HERE}:db:shop-production-orders", f"arn:aws:ecs:{HERE}:cluster/shop-production", "*"]
    wanted = {"operator": {"ssm:PutParameter"}, "delivery": {"ecs:UpdateService"}}.get(role, set())
    for action in {*ELSEWHERE} - wanted:
        assert not [thing for thing in things if may(role, action, thing)], f"{role} may {action}"


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_read_by_who_starts_a_service_and_only_its_own(name: str) -> None:
    for other in SERVICES:
        secret = f"arn:aws:secretsmanager:{HERE}:secret:shop-production/{other}/store-url-x"
        assert may(f"{name}-start", "secretsmanager:GetSecretValue", secret) == (other == name)
        assert may(f"{name}-start", "ecr:BatchGetImage", SHOP.arn("repository", other)) == (other == name)
        for role in (name, "operator", "operator-start", "delivery"):
            assert not may(role, "secretsmanager:GetSecretValue", secret), role


def test_the_collector_beside_a_service_writes_its_log_and_no_other() -> None:
    for name in SERVICES:
        written = [other for other in SERVICES if may(name, "logs:PutLogEvents", f"{SHOP.arn('logs', other)}:x")]
        assert written == [name]


def test_results_of_statements_are_read_by_who_sent_them() -> None:
    """A statement has no name that could be said before, so the condition says whose it is."""
    readers = {
        name: right
        for name, role in SHOP.roles.items()
        for right in role.rights
        if "redshift-data:GetStatementResult" in right.actions
    }
    assert [*readers] == ["analytics"]
    assert readers["analytics"].when == {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}
    assert not may("analytics", "redshift-data:ListDatabases", "*")


def test_the_key_of_all_data_is_used_by_services_of_amazon_alone() -> None:
    used = {
        name: right.when["kms:ViaService"]
        for name, role in SHOP.roles.items()
        for right in role.rights
        if "kms:Decrypt" in right.actions and SHOP.arn("key", "data") in map(SHOP.spelled, right.resources)
    }
    here = ".eu-central-1.amazonaws.com"
    assert used["orders"] == (f"sns{here}",)
    assert used["products"] == (f"s3{here}", f"sns{here}")
    assert used["orders-start"] == (f"secretsmanager{here}",)
    text = "".join(one.text for one in artifacts(shop()) if one.path == "production/service-orders.tf")
    assert f'"kms:ViaService" = "sns{here}"' in text


def test_mail_is_sent_by_who_declared_it() -> None:
    for action in ("ses:SendEmail", "ses:SendRawEmail"):  # of the same operation, by what it is given
        assert [name for name in SERVICES if may(name, action, SHOP.arn("address", "mail"))] == ["notifications"]


def test_the_operator_declares_every_stream_and_reads_no_message() -> None:
    plan = scope_of(shop()).plan
    made = [f"arn:aws:sqs:{HERE}:{naming.queue(c.stream, c.durable)}" for s in plan.services if s.broker
            for c in s.broker.consumers]  # fmt: skip
    made += [f"arn:aws:sqs:{HERE}:{naming.queue(s.name, LETTERS)}" for s in plan.streams if s.letters]
    assert made
    for queue in made:
        assert may("operator", "sqs:SetQueueAttributes", queue)
        assert not may("operator", "sqs:ReceiveMessage", queue)
        assert not may("operator", "sqs:SendMessage", queue)
    for stream in plan.streams:
        assert may("operator", "sns:CreateTopic", SHOP.arn("topic", stream.name))
        assert not may("operator", "sns:Publish", SHOP.arn("topic", stream.name))
    for other in (f"arn:aws:sqs:{HERE}:OTHER_ORDERS-a-0.fifo", f"arn:aws:sqs:{HERE}:SHOPS_ORDERS-a-0.fifo"):
        assert not may("operator", "sqs:CreateQueue", other), "it belongs to another system"


def test_pipelines_deliver_as_the_roles_that_there_are() -> None:
    tasks = path(scope_of(shop()))
    for name in (*SERVICES, "operator"):
        for role in (name, f"{name}-start"):
            arn = f"arn:aws:iam::100000000000:role{tasks}shop-production-{role}"
            assert may("delivery", "iam:PassRole", arn)
        assert may("delivery", "ecr:PutImage", f"arn:aws:ecr:{HERE}:repository/shop/{name}")
    for other in ("role/shop-production-delivery", "role/Administrator", "role/shop-staging/shop-staging-orders"):
        assert not may("delivery", "iam:PassRole", f"arn:aws:iam::100000000000:{other}")
    assert not may("delivery", "ecr:PutImage", f"arn:aws:ecr:{HERE}:repository/other/orders")
    assert not may("delivery", "ecs:UpdateService", f"arn:aws:ecs:{HERE}:service/shop-staging/orders")
    passing = next(right for right in SHOP.roles["delivery"].rights if "iam:PassRole" in right.actions)
    assert passing.when == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def test_everything_is_allowed_by_name_but_what_has_none() -> None:
    for role in SHOP.roles.values():
        for right in role.rights:
            assert not any(action.endswith("*") for action in right.actions), role.name
            if "*" in right.resources:
                assert {action.split(":")[0] for action in right.actions} <= {
                    *("ecr", "ecs", "redshift-data", "sns", "xray"),
                }, role.name
            else:
                assert not any(fnmatchcase("arn:aws:other:::x", SHOP.spelled(one)) for one in right.resources)


def test_policies_are_no_longer_than_a_role_takes() -> None:
    for role in SHOP.roles.values():
        document = [{"Action": r.actions, "Resource": [SHOP.spelled(one) for one in r.resources]} for r in role.rights]
        assert len(json.dumps(document, separators=(",", ":"))) < 10_240, role.name
