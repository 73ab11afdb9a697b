"""Roles and what they may do."""

from collections.abc import Callable, Iterator, Mapping

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Fence, Right, Role
from shoal.deploy.aws.rights import path
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.switches import FENCED, TAKEN
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.printer import expression
from shoal.deploy.terraform.values import Block, Call, Noted, Raw, Text, Value, block, items

_TOKENS = "token.actions.githubusercontent.com"
_PROVIDER = "aws_iam_openid_connect_provider"


def role(one: Role, context: Context) -> Iterator[Block]:
    """Write a role."""
    if one.trusts == "pipelines":
        yield _provider(context)
    trust = _TRUSTS[one.trusts](one, context)
    document = json({"Version": "2012-10-17", "Statement": [trust]})
    name = context.named(one.name, limit=naming.ROLE)
    where = {"path": path(context.scope)} if one.trusts in ("tasks", "pods", "account") else {}
    yield resource(
        "aws_iam_role", one.name, *items({"name": name, **where, "assume_role_policy": document}),
        notes=context.notes(one),
    )  # fmt: skip
    if one.rights:
        policy = json({"Version": "2012-10-17", "Statement": [statement(right, context) for right in one.rights]})
        owner = Raw(f"aws_iam_role.{label(one.name)}.id")
        yield resource("aws_iam_role_policy", one.name, *items({"name": "declared", "role": owner, "policy": policy}))

    for number, name in enumerate(one.managed):
        kept: dict[str, Value] = {
            "role": Raw(f"aws_iam_role.{label(one.name)}.name"),
            "policy_arn": f"arn:aws:iam::aws:policy/{name}",
        }
        yield resource("aws_iam_role_policy_attachment", f"{one.name}_{number}" if number else one.name, *items(kept))


def fence(one: Fence, context: Context) -> Iterator[Block]:
    """Write what roles of the first region are denied while this one works."""
    denied: Value = {"Effect": "Deny", "NotAction": ["logs:*"], "Resource": ["*"]}
    body: dict[str, Value] = {
        "for_each": Raw(f"toset({TAKEN} && !{FENCED} ? {expression([*one.roles])} : [])"),
        "name": f"fenced-by-{STANDBY}",
        "role": Raw("each.key"),
        "policy": json({"Version": "2012-10-17", "Statement": [denied]}),
    }
    yield resource("aws_iam_role_policy", f"fence-{one.name}", *items(body), notes=context.notes(one))


def _provider(context: Context) -> Block:
    """Write who vouches for GitHub's tokens, of whom an account has one; or look it up, where it is there already."""
    url = f"https://{_TOKENS}"
    if context.scope.environment.existing_oidc:
        return block("data", _PROVIDER, "pipelines", url=url)
    return resource(
        _PROVIDER,
        "pipelines",
        *items({"url": url, "client_id_list": ["sts.amazonaws.com"]}),
        notes=("Pipelines show a token of their run, and keep no key.",),
    )


def statement(right: Right, context: Context) -> Value:
    """Write one right."""
    found: dict[str, Value] = {
        "Effect": "Allow",
        "Action": [*right.actions],
        "Resource": [context.written(one) for one in right.resources],
        **({"Condition": {"StringEquals": _asked(right)}} if right.when else {}),
    }
    return Noted(found, right.why) if right.why else found


def _asked(right: Right) -> Value:
    """Write conditions; one value stands alone."""
    several = {key: (said,) if isinstance(said, str) else said for key, said in right.when.items()}
    return {key: said[0] if len(said) == 1 else [*said] for key, said in several.items()}


def _tasks(_: Role, context: Context) -> Value:
    return _from_here("ecs-tasks.amazonaws.com", context)


def _from_here(service: str, context: Context) -> dict[str, Value]:
    """Trust a service of Amazon when it acts for this account."""
    here = {"Condition": {"StringEquals": {"aws:SourceAccount": context.at(Ref("account", "own", "id"))}}}
    return {**_served(service), **here}


def _served(service: str, *actions: str) -> dict[str, Value]:
    asked = ["sts:AssumeRole", *actions] if actions else "sts:AssumeRole"
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": asked}


def _pods(_: Role, context: Context) -> Value:
    """Trust the cluster's agent for pods of this system's cluster."""
    return {**_served("pods.eks.amazonaws.com", "sts:TagSession"), **_of_cluster(context)}


def _cluster(_: Role, context: Context) -> Value:
    """Trust EKS when it acts for this cluster ("Cross-service confused deputy prevention in Amazon EKS")."""
    return {**_served("eks.amazonaws.com", "sts:TagSession"), **_of_cluster(context)}


def _of_cluster(context: Context) -> dict[str, Value]:
    region, name = context.scope.environment.region, context.named(limit=100)
    here = Text((f"arn:aws:eks:{region}:", context.at(Ref("account", "own", "id")), f":cluster/{name}"))
    return {"Condition": {"ArnLike": {"aws:SourceArn": here}}}


def _account(one: Role, _: Context) -> Value:
    """Trust one account of the cluster, by a token of it."""
    issuer = Raw('replace(aws_iam_openid_connect_provider.cluster.url, "https://", "")')
    names: Value = [Text((issuer, ":aud")), Text((issuer, ":sub"))]
    said: Value = ["sts.amazonaws.com", f"system:serviceaccount:{one.subject}"]
    return {
        "Effect": "Allow",
        "Principal": {"Federated": Raw("aws_iam_openid_connect_provider.cluster.arn")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": Call("zipmap", (names, said))},
    }


def _pipelines(one: Role, context: Context) -> Value:
    found = "data." if context.scope.environment.existing_oidc else ""
    subject = f"repo:{one.repository}:environment:{context.scope.environment.name}"
    return {
        "Effect": "Allow",
        "Principal": {"Federated": Raw(f"{found}{_PROVIDER}.pipelines.arn")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{_TOKENS}:aud": "sts.amazonaws.com", f"{_TOKENS}:sub": subject}},
    }


_TRUSTS: Mapping[str, Callable[[Role, Context], Value]] = {
    "tasks": _tasks,
    "pipelines": _pipelines,
    "pipes": lambda _, context: _from_here("pipes.amazonaws.com", context),
    "pods": _pods,
    "account": _account,
    "objects": lambda _, context: _from_here("s3.amazonaws.com", context),
    "cluster": _cluster,
    "nodes": lambda _, __: _served("ec2.amazonaws.com"),
}
