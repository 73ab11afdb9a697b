"""Roles and what they may do."""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.references import at, written
from shoal.deploy.aws.resources import Right, Role
from shoal.deploy.aws.rights import path
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Value, items

_TOKENS = "token.actions.githubusercontent.com"


def role(one: Role, context: Context) -> Iterator[Block]:
    """Write a role."""
    if one.trusts == "pipelines":
        yield resource(
            "aws_iam_openid_connect_provider",
            "pipelines",
            *items({"url": f"https://{_TOKENS}", "client_id_list": ["sts.amazonaws.com"]}),
            notes=("Pipelines show a token of their run, and keep no key.",),
        )
    trust = _tasks() if one.trusts == "tasks" else _pipelines(one, context)
    document = json({"Version": "2012-10-17", "Statement": [trust]})
    name = context.named(one.name, limit=naming.ROLE)
    where = {"path": path(context.scope)} if one.trusts == "tasks" else {}
    yield resource(
        "aws_iam_role", one.name, *items({"name": name, **where, "assume_role_policy": document}),
        notes=context.notes(one),
    )  # fmt: skip
    if one.rights:
        policy = json({"Version": "2012-10-17", "Statement": [statement(right) for right in one.rights]})
        owner = Raw(f"aws_iam_role.{label(one.name)}.id")
        yield resource("aws_iam_role_policy", one.name, *items({"name": "declared", "role": owner, "policy": policy}))


def statement(right: Right) -> Value:
    """Write one right."""
    found: dict[str, Value] = {
        "Effect": "Allow",
        "Action": [*right.actions],
        "Resource": [written(one) for one in right.resources],
        **({"Condition": {"StringEquals": dict(right.when)}} if right.when else {}),
    }
    return Noted(found, right.why) if right.why else found


def _tasks() -> Value:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": at(Ref("account", "own", "id"))}},
    }


def _pipelines(one: Role, context: Context) -> Value:
    subject = f"repo:{one.repository}:environment:{context.scope.environment.name}"
    return {
        "Effect": "Allow",
        "Principal": {"Federated": Raw("aws_iam_openid_connect_provider.pipelines.arn")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{_TOKENS}:aud": "sts.amazonaws.com", f"{_TOKENS}:sub": subject}},
    }
