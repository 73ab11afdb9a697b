"""Where Terraform has what AWS decides. Pure."""

from shoal.deploy.cloud.hcl import Addresses

ADDRESSES = Addresses(
    {
        ("account", "id"): "data.aws_caller_identity.{}.account_id",
        ("address", "arn"): "local.{}",
        ("bucket", "arn"): "aws_s3_bucket.{}.arn",
        ("bucket", "name"): "aws_s3_bucket.{}.bucket",
        ("bus", "arn"): "aws_cloudwatch_event_bus.{}.arn",
        ("cache", "address"): "aws_elasticache_replication_group.{}.configuration_endpoint_address",
        ("certificate", "arn"): "aws_acm_certificate_validation.{}.certificate_arn",
        ("cluster", "arn"): "aws_ecs_cluster.{}.arn",
        ("cluster", "name"): "aws_ecs_cluster.{}.name",
        ("documents", "address"): "aws_docdb_cluster.{}.endpoint",
        ("documents", "id"): "aws_docdb_cluster.{}.cluster_identifier",
        ("door", "balancer"): "aws_lb.{}.arn_suffix",
        ("door", "target"): "aws_lb_target_group.{}.arn_suffix",
        ("group", "id"): "aws_security_group.{}.id",
        ("key", "arn"): "aws_kms_key.{}.arn",
        ("key", "id"): "aws_kms_key.{}.id",
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
        ("warehouse", "arn"): "aws_redshiftserverless_workgroup.{}.arn",
        ("warehouse", "name"): "aws_redshiftserverless_workgroup.{}.workgroup_name",
        ("workload", "arn"): "aws_ecs_service.{}.id",
        ("workload", "name"): "aws_ecs_service.{}.name",
    }
)
"""Kind and attribute → where Terraform has it."""

LOOKED_UP = Addresses(
    {
        **{key: f"data.{place}" for key, place in ADDRESSES.table.items()},
        ("password", "result"): "data.aws_secretsmanager_secret_version.{}.secret_string",
    }
)
"""The same of what another folder made, and this one looks up."""
