"""Keys, passwords and secrets."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.references import at, written
from shoal.deploy.aws.resources import Key, Password, Secret
from shoal.deploy.aws.secrets import called
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Call, Raw, Text, Value, items


def key(one: Key, context: Context) -> Iterator[Block]:
    """Write a key, and an alias that people can read."""
    yield resource(
        "aws_kms_key",
        one.name,
        *items(
            {
                "description": one.purpose,
                "enable_key_rotation": True,
                "deletion_window_in_days": 30,
                "policy": _policy(),
            }
        ),
        notes=context.notes(one),
    )
    name = f"alias/{context.named(one.name)}"
    target = Raw(f"aws_kms_key.{label(one.name)}.key_id")
    yield resource("aws_kms_alias", one.name, *items({"name": name, "target_key_id": target}))


def _policy() -> Call:
    """Let the account's own policies decide; nobody else is named."""
    root = Text(("arn:aws:iam::", at(Ref("account", "own", "id")), ":root"))
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
                "kms_key_id": at(Ref("key", "data")),
                "recovery_window_in_days": 30 if protected else 0,
            }
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
                    "secret_string": written(one.text),
                }
            ),
        )
