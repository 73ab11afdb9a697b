"""Each service may do what it declared, and is denied what it did not: policies are evaluated, action by action."""

from fnmatch import fnmatchcase

import pytest

from shoal.deploy.aws.resources import Role
from shoal.model import names
from tests.deploy.aws.samples import of_kind, scope_of, shops
from tests.deploy.samples import shop

SERVICES = tuple(service.name for service in shop().services)
EVERYWHERE = ("iam:CreateUser", "sts:AssumeRole", "s3:DeleteBucket", "dynamodb:DeleteTable", "kms:ScheduleKeyDeletion")
"""Nothing that any service does by itself."""


def may(role: str, action: str, resource: str) -> bool:
    """Evaluate a role's policy as AWS does: nothing is allowed but what a statement allows."""
    return any(
        any(fnmatchcase(action, one) for one in right.actions)
        and any(fnmatchcase(resource, str(one)) for one in right.resources)
        for right in of_kind(shops(), Role)[role].rights
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_and_hears_what_it_declared_and_nothing_else(name: str) -> None:
    plan = scope_of(shop()).plan
    broker = plan.service(name).broker
    own = {broker.stream} if broker else set()
    heard = {f"{c.stream}-{c.durable}" for c in broker.consumers} if broker else set()
    if heard:
        own.add(names.dead_letter_stream("shop", name))
    for stream in plan.streams:
        assert may(name, "sns:Publish", f"topic/{stream.name}:arn") == (stream.name in own)
    queues = {f"{c.stream}-{c.durable}" for s in plan.services if s.broker for c in s.broker.consumers}
    for queue in queues:
        assert may(name, "sqs:ReceiveMessage", f"queue/{queue}:arn") == (queue in heard)
        assert not may(name, "sqs:SendMessage", f"queue/{queue}:arn")
        assert not may(name, "sqs:PurgeQueue", f"queue/{queue}:arn")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_its_own_and_sees_nobody_elses(name: str) -> None:
    scope = scope_of(shop())
    used = set(scope.uses(scope.plan.service(name)).values())
    personal = bool(shop().service(name).personal)
    for other in SERVICES:
        own = other == name
        assert may(name, "dynamodb:PutItem", f"table/{other}:arn") == (own and "dynamodb" in used)
        assert may(name, "s3:GetObject", f"<bucket/{other}:arn>/a/b") == (own and "s3" in used)
        assert may(name, "s3:ListBucket", f"bucket/{other}:arn") == (own and "s3" in used)
        assert may(name, "kms:Encrypt", f"key/personal-{other}:arn") == (own and personal)
        assert not may(name, "dynamodb:Scan", f"table/{other}:arn")
        for action in EVERYWHERE:
            assert not may(name, action, f"table/{other}:arn")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_read_by_who_starts_a_service_and_only_its_own(name: str) -> None:
    for other in SERVICES:
        secret = f"arn:aws:secretsmanager:eu-central-1:<account/own:id>:secret:shop-production/{other}/store-url-x"
        assert may(f"{name}-start", "secretsmanager:GetSecretValue", secret) == (other == name)
        assert not may(name, "secretsmanager:GetSecretValue", secret)
        assert may(f"{name}-start", "ecr:BatchGetImage", f"repository/{other}:arn") == (other == name)


def test_mail_is_sent_by_who_declared_it() -> None:
    assert [name for name in SERVICES if may(name, "ses:SendEmail", "address/mail:arn")] == ["notifications"]


def test_the_operator_declares_streams_and_reads_no_message() -> None:
    assert may("operator", "sqs:SetQueueAttributes", "queue/SHOP_ORDERS-payments-0:arn")
    assert not may("operator", "sqs:ReceiveMessage", "queue/SHOP_ORDERS-payments-0:arn")
    assert not may("operator", "sns:Publish", "topic/SHOP_ORDERS:arn")


def test_pipelines_deliver_as_the_roles_that_there_are() -> None:
    assert may("delivery", "iam:PassRole", "role/orders:arn")
    assert not may("delivery", "iam:PassRole", "role/delivery:arn")
    assert not may("delivery", "secretsmanager:GetSecretValue", "secret/orders/store-url:arn")
    delivery = of_kind(shops(), Role)["delivery"]
    passing = next(right for right in delivery.rights if "iam:PassRole" in right.actions)
    assert passing.when == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def test_everything_is_allowed_by_name_but_what_has_none() -> None:
    for role in of_kind(shops(), Role).values():
        for right in role.rights:
            assert not any(action.endswith("*") for action in right.actions), role.name
            if "*" in right.resources:
                assert {action.split(":")[0] for action in right.actions} <= {"ecr", "ecs", "sns", "xray"}, role.name
