"""References → Terraform's expressions, and names → its labels. Pure."""

import re
from collections.abc import Mapping

from shoal.deploy.cloud.values import Join, Ref, Value
from shoal.deploy.terraform import values as hcl

_ADDRESSES: Mapping[tuple[str, str], str] = {
    ("account", "id"): "data.aws_caller_identity.{}.account_id",
    ("address", "arn"): "local.{}",
    ("bucket", "arn"): "aws_s3_bucket.{}.arn",
    ("bucket", "name"): "aws_s3_bucket.{}.bucket",
    ("cache", "address"): "aws_elasticache_replication_group.{}.configuration_endpoint_address",
    ("cluster", "arn"): "aws_ecs_cluster.{}.arn",
    ("cluster", "name"): "aws_ecs_cluster.{}.name",
    ("documents", "address"): "aws_docdb_cluster.{}.endpoint",
    ("door", "balancer"): "aws_lb.{}.arn_suffix",
    ("door", "target"): "aws_lb_target_group.{}.arn_suffix",
    ("group", "id"): "aws_security_group.{}.id",
    ("key", "arn"): "aws_kms_key.{}.arn",
    ("key", "id"): "aws_kms_key.{}.key_id",
    ("logs", "arn"): "aws_cloudwatch_log_group.{}.arn",
    ("logs", "name"): "aws_cloudwatch_log_group.{}.name",
    ("password", "result"): "random_password.{}.result",
    ("pool", "client"): "aws_cognito_user_pool_client.{}.id",
    ("pool", "id"): "aws_cognito_user_pool.{}.id",
    ("postgres", "address"): "aws_db_instance.{}.address",
    ("postgres", "id"): "aws_db_instance.{}.identifier",
    ("queue", "arn"): "aws_sqs_queue.{}.arn",
    ("queue", "name"): "aws_sqs_queue.{}.name",
    ("repository", "arn"): "aws_ecr_repository.{}.arn",
    ("repository", "url"): "aws_ecr_repository.{}.repository_url",
    ("role", "arn"): "aws_iam_role.{}.arn",
    ("search", "address"): "aws_opensearch_domain.{}.endpoint",
    ("secret", "arn"): "aws_secretsmanager_secret.{}.arn",
    ("table", "arn"): "aws_dynamodb_table.{}.arn",
    ("table", "name"): "aws_dynamodb_table.{}.name",
    ("topic", "arn"): "aws_sns_topic.{}.arn",
    ("workload", "arn"): "aws_ecs_service.{}.id",
    ("workload", "name"): "aws_ecs_service.{}.name",
}
"""Kind and attribute → where Terraform has it."""


def label(name: str) -> str:
    """Name a resource in Terraform."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def at(ref: Ref) -> hcl.Raw:
    """Write a reference."""
    return hcl.Raw(_ADDRESSES[ref.kind, ref.attribute].format(label(ref.name)))


def written(value: Value) -> hcl.Value:
    """Write a value."""
    if isinstance(value, Ref):
        return at(value)
    if isinstance(value, Join):
        return hcl.Text(tuple(at(part) if isinstance(part, Ref) else part for part in value.parts))
    return value


def resource(kind: str, name: str, *items: hcl.Item, notes: tuple[str, ...] = ()) -> hcl.Block:
    """Begin a resource."""
    return hcl.Block(kind="resource", labels=(kind, label(name)), body=items, notes=notes)


def json(document: hcl.Value) -> hcl.Call:
    """Write a document that is text to AWS."""
    return hcl.Call("jsonencode", (document,))
