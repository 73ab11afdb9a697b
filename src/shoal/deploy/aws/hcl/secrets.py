"""Keys, passwords and secrets."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Key, Password, Secret
from shoal.deploy.aws.secrets import called
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Call, Noted, Raw, Text, Value, block, items


def key(one: Key, context: Context) -> Iterator[Block]:
    """Write a key, and an alias that people can read."""
    own: dict[str, Value] = {"description": one.purpose}
    if one.of:
        own["primary_key_arn"] = context.at(Ref("key", one.of))
    elif one.lasting:
        why = "So that it may have replicas; a key cannot become one that has."
        own["multi_region"] = Noted(value=True, why=why)
    if not one.of:
        own["enable_key_rotation"] = True
    own |= {"deletion_window_in_days": 30, "policy": _policy(context)}
    kind = "aws_kms_replica_key" if one.of else "aws_kms_key"
    yield resource(kind, one.name, *items(own, *_kept(one, context)), notes=context.notes(one))
    name, target = f"alias/{context.named(one.name)}", Raw(f"{kind}.{label(one.name)}.key_id")
    yield resource("aws_kms_alias", one.name, *items({"name": name, "target_key_id": target}))


def _kept(one: Key, context: Context) -> Iterator[Block]:
    """Keep a key that something cannot be read without: one that was made for one region stays as it is, too."""
    if one.lasting:
        own: dict[str, Value] = {} if one.of else {"ignore_changes": [Raw("multi_region")]}
        protected: dict[str, Value] = {"prevent_destroy": True} if context.scope.environment.protected else {}
        if own or protected:
            yield block("lifecycle", **protected, **own)


def _policy(context: Context) -> Call:
    """Let the account's own policies decide; nobody else is named."""
    root = Text(("arn:aws:iam::", context.at(Ref("account", "own", "id")), ":root"))
    statement: Value = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return json({"Version": "2012-10-17", "Statement": [statement]})


def password(one: Password, context: Context) -> Iterator[Block]:
    """Write a password; its letters and digits need no quoting in an address."""
    yield resource(
        "random_password",
        one.name,
        *items({"length": 40, "special": False, "keepers": {"passwords": str(context.scope.environment.passwords)}}),
        notes=context.notes(one),
    )


def _replica(one: Secret, context: Context) -> Iterator[Block]:
    if one.to:
        there = context.at(Ref("key", f"data-{STANDBY}"))
        yield block("replica", region=one.to, kms_key_id=there)


def secret(one: Secret, context: Context) -> Iterator[Block]:
    """Write a secret, and its text where that is made of others."""
    protected = context.scope.environment.protected
    yield resource(
        "aws_secretsmanager_secret",
        one.name,
        *items(
            {
                "name": called(context.scope, one.name),
                "description": one.purpose,
                "kms_key_id": context.at(Ref("key", "data")),
                "recovery_window_in_days": 30 if protected else 0,
            },
            *_replica(one, context),
        ),
        notes=context.notes(one),
    )
    if one.text is not None:
        yield resource(
            "aws_secretsmanager_secret_version",
            one.name,
            *items(
                {
                    "secret_id": Raw(f"aws_secretsmanager_secret.{label(one.name)}.id"),
                    "secret_string": context.written(one.text),
                }
            ),
        )
