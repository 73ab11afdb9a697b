# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Who declares a call of it, and nobody else.
# Declared in cafe/menu.py:9.
resource "aws_security_group" "menu" {
  name        = "cafe-production-menu-group"
  description = "menu of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "till_to_menu" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.till.id
}

resource "aws_vpc_security_group_egress_rule" "till_to_menu" {
  security_group_id            = aws_security_group.till.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_ingress_rule" "balancer_to_menu" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_vpc_security_group_egress_rule" "balancer_to_menu" {
  security_group_id            = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_dynamodb" {
  security_group_id = aws_security_group.menu.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_s3" {
  security_group_id = aws_security_group.menu.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
}

# Its owner alone.
resource "aws_security_group" "postgres-menu" {
  name        = "cafe-production-postgres-menu-group"
  description = "postgres-menu of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "menu_to_postgres-menu" {
  security_group_id            = aws_security_group.postgres-menu.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_postgres-menu" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.postgres-menu.id
}

resource "random_password" "menu-postgres" {
  length  = 40
  special = false
  keepers = {
    passwords = "1"
  }
}

resource "random_password" "menu-valkey" {
  length  = 40
  special = false
  keepers = {
    passwords = "1"
  }
}

resource "aws_secretsmanager_secret" "menu_store-url" {
  name                    = "cafe-production/menu/store-url"
  description             = "SHOAL_STORE_URL: where it finds its engine."
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "menu_store-url" {
  secret_id     = aws_secretsmanager_secret.menu_store-url.id
  secret_string = "postgres://menu:${random_password.menu-postgres.result}@${aws_db_instance.menu.address}:5432/menu?sslmode=verify-full&sslrootcert=/etc/shoal/files/authorities.pem"
}

resource "aws_secretsmanager_secret" "menu_cache-url" {
  name                    = "cafe-production/menu/cache-url"
  description             = "SHOAL_CACHE_URL: where it finds its engine."
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "menu_cache-url" {
  secret_id     = aws_secretsmanager_secret.menu_cache-url.id
  secret_string = "valkeys+cluster://menu:${random_password.menu-valkey.result}@${aws_elasticache_replication_group.main.configuration_endpoint_address}:6379/cafe:menu"
}

resource "aws_ecr_repository" "menu" {
  name = "cafe/menu"
  # All but the names that pipelines move.
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"
  force_delete         = false

  image_tag_mutability_exclusion_filter {
    filter      = "cache"
    filter_type = "WILDCARD"
  }

  image_tag_mutability_exclusion_filter {
    filter      = "main"
    filter_type = "WILDCARD"
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.data.arn
  }
}

resource "aws_ecr_lifecycle_policy" "menu" {
  repository = aws_ecr_repository.menu.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = 30
        }
        action = {
          type = "expire"
        }
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "menu" {
  name              = "/cafe-production/menu"
  retention_in_days = 30
}

# What there is, and what it costs.
# Declared in cafe/menu.py:9.
resource "aws_ecs_task_definition" "menu" {
  family                   = "cafe-production-menu"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.menu.arn
  execution_role_arn       = aws_iam_role.menu-start.arn
  container_definitions = jsonencode([
    {
      name  = "prepare"
      image = "${aws_ecr_repository.menu.repository_url}:0.1.0"
      command = [
        "python",
        "-m",
        "shoal.runtime.unpacking",
        "/etc/shoal/files",
        "jwks.json=SHOAL_FILE_JWKS",
        "authorities.pem=SHOAL_FILE_AUTHORITIES",
      ]
      essential = false
      # Volumes belong to root here; this one ends before the service begins.
      user = "0"
      secrets = [
        {
          name      = "SHOAL_FILE_JWKS"
          valueFrom = aws_secretsmanager_secret.all_jwks.arn
        },
        {
          name      = "SHOAL_FILE_AUTHORITIES"
          valueFrom = aws_secretsmanager_secret.all_authorities.arn
        },
      ]
      mountPoints = [
        {
          sourceVolume  = "scratch"
          containerPath = "/tmp"
        },
        {
          sourceVolume  = "files"
          containerPath = "/etc/shoal/files"
        },
      ]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.menu.name
          awslogs-region        = "eu-central-1"
          awslogs-stream-prefix = "prepare"
        }
      }
    },
    {
      name                   = "menu"
      image                  = "${aws_ecr_repository.menu.repository_url}:0.1.0"
      command                = ["python", "-m", "shoal.runtime"]
      essential              = true
      user                   = "10001"
      readonlyRootFilesystem = true
      dependsOn = [
        {
          containerName = "prepare"
          condition     = "SUCCESS"
        },
      ]
      # Requests end, then events and sagas in hand do.
      stopTimeout = 30
      portMappings = [
        {
          name          = "http"
          containerPort = 8080
          protocol      = "tcp"
          appProtocol   = "http"
        },
      ]
      environment = [
        {
          name  = "SHOAL_SYSTEM"
          value = "cafe"
        },
        {
          name  = "SHOAL_ENTRY"
          value = "cafe.menu:menu"
        },
        {
          name  = "SHOAL_VERSION"
          value = "0.1.0"
        },
        {
          name  = "SHOAL_LISTEN"
          value = "tcp:0.0.0.0:8080"
        },
        {
          name  = "SHOAL_VOUCHED"
          value = "false"
        },
        {
          name  = "SHOAL_MESH"
          value = "http://{service}:8080"
        },
        {
          name  = "SHOAL_DRAIN"
          value = "10"
        },
        {
          name  = "SHOAL_JWKS"
          value = "/etc/shoal/files/jwks.json"
        },
        {
          name  = "SHOAL_ISSUER"
          value = "https://cafe.example"
        },
        {
          name  = "SHOAL_AUDIENCE"
          value = "cafe"
        },
        {
          name  = "SHOAL_BROKER_URL"
          value = "sns:///cafe?region=eu-central-1"
        },
      ]
      secrets = [
        {
          name      = "SHOAL_STORE_URL"
          valueFrom = aws_secretsmanager_secret.menu_store-url.arn
        },
        {
          name      = "SHOAL_CACHE_URL"
          valueFrom = aws_secretsmanager_secret.menu_cache-url.arn
        },
      ]
      mountPoints = [
        {
          sourceVolume  = "scratch"
          containerPath = "/tmp"
        },
        {
          sourceVolume  = "files"
          containerPath = "/etc/shoal/files"
          readOnly      = true
        },
      ]
      healthCheck = {
        command = [
          "CMD",
          "python",
          "-c",
          "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=3)",
        ]
        interval    = 15
        timeout     = 5
        retries     = 3
        startPeriod = 60
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.menu.name
          awslogs-region        = "eu-central-1"
          awslogs-stream-prefix = "menu"
        }
      }
    },
  ])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "scratch"
  }

  volume {
    name = "files"
  }
}

resource "aws_ecs_service" "menu" {
  name                               = "menu"
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.menu.arn
  desired_count                      = 2
  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  force_new_deployment               = true
  triggers = {
    passwords = "1"
  }
  propagate_tags = "SERVICE"
  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.menu-start,
    aws_lb_listener_rule.menu,
  ]

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.menu.id]
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.menu-errors.alarm_name]
  }

  service_connect_configuration {
    enabled = true

    service {
      port_name      = "http"
      discovery_name = "menu"

      client_alias {
        dns_name = "menu"
        port     = 8080
      }

      timeout {
        per_request_timeout_seconds = 0
        idle_timeout_seconds        = 3600
      }
    }
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.menu.arn
    container_name   = "menu"
    container_port   = 8080
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "menu" {
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.menu.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  service_namespace  = "ecs"
  min_capacity       = 2
  max_capacity       = 4
}

resource "aws_appautoscaling_policy" "menu_processor" {
  name               = "menu-processor"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.menu.resource_id
  scalable_dimension = aws_appautoscaling_target.menu.scalable_dimension
  service_namespace  = aws_appautoscaling_target.menu.service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = 70
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "menu_memory" {
  name               = "menu-memory"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.menu.resource_id
  scalable_dimension = aws_appautoscaling_target.menu.scalable_dimension
  service_namespace  = aws_appautoscaling_target.menu.service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = 80
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageMemoryUtilization"
    }
  }
}

resource "aws_cloudwatch_log_group" "menu_postgres" {
  name              = "/aws/rds/instance/cafe-production-menu/postgresql"
  retention_in_days = 30
}

# Declared in cafe/menu.py:9.
resource "aws_db_instance" "menu" {
  identifier                      = "cafe-production-menu"
  engine                          = "postgres"
  engine_version                  = "18"
  db_name                         = "menu"
  username                        = "menu"
  password_wo                     = random_password.menu-postgres.result
  password_wo_version             = 1
  allocated_storage               = 20
  instance_class                  = "db.t4g.micro"
  max_allocated_storage           = 100
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.data.arn
  multi_az                        = true
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.engines.name
  parameter_group_name            = aws_db_parameter_group.postgres.name
  vpc_security_group_ids          = [aws_security_group.postgres-menu.id]
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = false
  final_snapshot_identifier       = "cafe-production-menu-last-${terraform_data.begun.output}"
  depends_on                      = [aws_cloudwatch_log_group.menu_postgres]
}

resource "aws_sqs_queue" "CAFE_TILL-menu-0" {
  name                        = "CAFE_TILL-menu-0.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 5
  sqs_managed_sse_enabled     = true
  tags = {
    shoal-consumer = "menu-0"
    shoal-since    = formatdate("YYYYMMDDhhmmss", timestamp())
  }

  # A queue hears nothing from before it was there: since when it hears stays as it was written
  # first.
  lifecycle {
    ignore_changes = [tags["shoal-since"], tags_all["shoal-since"]]
  }
}

resource "aws_sqs_queue_policy" "CAFE_TILL-menu-0" {
  queue_url = aws_sqs_queue.CAFE_TILL-menu-0.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OnlyItsTopic"
        Effect = "Allow"
        Principal = {
          Service = "sns.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.CAFE_TILL-menu-0.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_TILL.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_TILL-menu-0" {
  topic_arn            = aws_sns_topic.CAFE_TILL.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_TILL-menu-0.arn
  raw_message_delivery = true
  filter_policy = jsonencode({
    subject = ["cafe.event.till.sold.v1.0"]
  })
}

resource "aws_sqs_queue" "CAFE_TILL-menu-1" {
  name                        = "CAFE_TILL-menu-1.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 5
  sqs_managed_sse_enabled     = true
  tags = {
    shoal-consumer = "menu-1"
    shoal-since    = formatdate("YYYYMMDDhhmmss", timestamp())
  }

  # A queue hears nothing from before it was there: since when it hears stays as it was written
  # first.
  lifecycle {
    ignore_changes = [tags["shoal-since"], tags_all["shoal-since"]]
  }
}

resource "aws_sqs_queue_policy" "CAFE_TILL-menu-1" {
  queue_url = aws_sqs_queue.CAFE_TILL-menu-1.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OnlyItsTopic"
        Effect = "Allow"
        Principal = {
          Service = "sns.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.CAFE_TILL-menu-1.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_TILL.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_TILL-menu-1" {
  topic_arn            = aws_sns_topic.CAFE_TILL.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_TILL-menu-1.arn
  raw_message_delivery = true
  filter_policy = jsonencode({
    subject = ["cafe.event.till.sold.v1.1"]
  })
}

resource "aws_sqs_queue" "CAFE_TILL-menu-2" {
  name                        = "CAFE_TILL-menu-2.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 5
  sqs_managed_sse_enabled     = true
  tags = {
    shoal-consumer = "menu-2"
    shoal-since    = formatdate("YYYYMMDDhhmmss", timestamp())
  }

  # A queue hears nothing from before it was there: since when it hears stays as it was written
  # first.
  lifecycle {
    ignore_changes = [tags["shoal-since"], tags_all["shoal-since"]]
  }
}

resource "aws_sqs_queue_policy" "CAFE_TILL-menu-2" {
  queue_url = aws_sqs_queue.CAFE_TILL-menu-2.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OnlyItsTopic"
        Effect = "Allow"
        Principal = {
          Service = "sns.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.CAFE_TILL-menu-2.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_TILL.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_TILL-menu-2" {
  topic_arn            = aws_sns_topic.CAFE_TILL.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_TILL-menu-2.arn
  raw_message_delivery = true
  filter_policy = jsonencode({
    subject = ["cafe.event.till.sold.v1.2"]
  })
}

resource "aws_sqs_queue" "CAFE_TILL-menu-3" {
  name                        = "CAFE_TILL-menu-3.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 5
  sqs_managed_sse_enabled     = true
  tags = {
    shoal-consumer = "menu-3"
    shoal-since    = formatdate("YYYYMMDDhhmmss", timestamp())
  }

  # A queue hears nothing from before it was there: since when it hears stays as it was written
  # first.
  lifecycle {
    ignore_changes = [tags["shoal-since"], tags_all["shoal-since"]]
  }
}

resource "aws_sqs_queue_policy" "CAFE_TILL-menu-3" {
  queue_url = aws_sqs_queue.CAFE_TILL-menu-3.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OnlyItsTopic"
        Effect = "Allow"
        Principal = {
          Service = "sns.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.CAFE_TILL-menu-3.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_TILL.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_TILL-menu-3" {
  topic_arn            = aws_sns_topic.CAFE_TILL.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_TILL-menu-3.arn
  raw_message_delivery = true
  filter_policy = jsonencode({
    subject = ["cafe.event.till.sold.v1.3"]
  })
}

resource "aws_sqs_queue" "CAFE_MENU_DEAD-menu-again" {
  name                        = "CAFE_MENU_DEAD-menu-again.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 5
  sqs_managed_sse_enabled     = true
  tags = {
    shoal-consumer = "menu-again"
    shoal-since    = formatdate("YYYYMMDDhhmmss", timestamp())
  }

  # A queue hears nothing from before it was there: since when it hears stays as it was written
  # first.
  lifecycle {
    ignore_changes = [tags["shoal-since"], tags_all["shoal-since"]]
  }
}

resource "aws_sqs_queue_policy" "CAFE_MENU_DEAD-menu-again" {
  queue_url = aws_sqs_queue.CAFE_MENU_DEAD-menu-again.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OnlyItsTopic"
        Effect = "Allow"
        Principal = {
          Service = "sns.amazonaws.com"
        }
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.CAFE_MENU_DEAD-menu-again.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_MENU_DEAD.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_MENU_DEAD-menu-again" {
  topic_arn            = aws_sns_topic.CAFE_MENU_DEAD.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_MENU_DEAD-menu-again.arn
  raw_message_delivery = true
  filter_policy = jsonencode({
    subject = ["cafe.again.menu"]
  })
}

# Declared in cafe/menu.py:9.
resource "aws_iam_role" "menu" {
  name = "cafe-production-menu"
  path = "/cafe-production/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "ecs-tasks.amazonaws.com"
        }
        Action = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = data.aws_caller_identity.own.account_id
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "menu" {
  name = "declared"
  role = aws_iam_role.menu.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Its own events, and its own dead letters.
      {
        Effect   = "Allow"
        Action   = ["sns:Publish", "sns:GetTopicAttributes"]
        Resource = [aws_sns_topic.CAFE_MENU_DEAD.arn]
      },
      # What it subscribed to.
      {
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueUrl",
          "sqs:GetQueueAttributes",
          "sqs:ListQueueTags",
        ]
        Resource = [
          aws_sqs_queue.CAFE_TILL-menu-0.arn,
          aws_sqs_queue.CAFE_TILL-menu-1.arn,
          aws_sqs_queue.CAFE_TILL-menu-2.arn,
          aws_sqs_queue.CAFE_TILL-menu-3.arn,
          aws_sqs_queue.CAFE_MENU_DEAD-menu-again.arn,
        ]
      },
      # Which streams there are.
      {
        Effect = "Allow"
        Action = ["ssm:GetParametersByPath"]
        Resource = [
          "arn:aws:ssm:eu-central-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams",
          "arn:aws:ssm:eu-central-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams/*",
        ]
      },
      # What lies there is encrypted; the key is used there alone.
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.data.arn]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.eu-central-1.amazonaws.com"
          }
        }
      },
    ]
  })
}

resource "aws_iam_role" "menu-start" {
  name = "cafe-production-menu-start"
  path = "/cafe-production/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "ecs-tasks.amazonaws.com"
        }
        Action = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = data.aws_caller_identity.own.account_id
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "menu-start" {
  name = "declared"
  role = aws_iam_role.menu-start.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = [aws_ecr_repository.menu.arn]
      },
      # It knows no narrower one.
      {
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.menu.arn}:*"]
      },
      # Its own secrets.
      {
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue"]
        Resource = [
          "arn:aws:secretsmanager:eu-central-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production/menu/*",
          "arn:aws:secretsmanager:eu-central-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production/all/*",
        ]
      },
      # What lies there is encrypted; the key is used there alone.
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [aws_kms_key.data.arn]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "secretsmanager.eu-central-1.amazonaws.com"
          }
        }
      },
    ]
  })
}

resource "aws_cloudwatch_metric_alarm" "menu-busy" {
  alarm_name          = "cafe-production-menu-busy"
  alarm_description   = "It has as many tasks as it may have, and they are busy."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  period              = 900
  dimensions = {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = aws_ecs_service.menu.name
  }
}

resource "aws_cloudwatch_metric_alarm" "menu-errors" {
  alarm_name          = "cafe-production-menu-errors"
  alarm_description   = "It answers with 500 and above."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  statistic           = "Sum"
  period              = 300
  dimensions = {
    LoadBalancer = aws_lb.main.arn_suffix
    TargetGroup  = aws_lb_target_group.menu.arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "menu-late-CAFE_TILL" {
  alarm_name          = "cafe-production-menu-late-CAFE-TILL"
  alarm_description   = "Messages of CAFE_TILL have waited for five minutes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "worst"
    expression  = "MAX(METRICS())"
    label       = "ApproximateAgeOfOldestMessage"
    return_data = true
  }

  metric_query {
    id = "m0"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateAgeOfOldestMessage"
      stat        = "Maximum"
      period      = 300
      dimensions = {
        QueueName = aws_sqs_queue.CAFE_TILL-menu-0.name
      }
    }
  }

  metric_query {
    id = "m1"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateAgeOfOldestMessage"
      stat        = "Maximum"
      period      = 300
      dimensions = {
        QueueName = aws_sqs_queue.CAFE_TILL-menu-1.name
      }
    }
  }

  metric_query {
    id = "m2"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateAgeOfOldestMessage"
      stat        = "Maximum"
      period      = 300
      dimensions = {
        QueueName = aws_sqs_queue.CAFE_TILL-menu-2.name
      }
    }
  }

  metric_query {
    id = "m3"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateAgeOfOldestMessage"
      stat        = "Maximum"
      period      = 300
      dimensions = {
        QueueName = aws_sqs_queue.CAFE_TILL-menu-3.name
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "menu-late-CAFE_MENU_DEAD" {
  alarm_name          = "cafe-production-menu-late-CAFE-MENU-DEAD"
  alarm_description   = "Messages of CAFE_MENU_DEAD have waited for five minutes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  statistic           = "Maximum"
  period              = 300
  dimensions = {
    QueueName = aws_sqs_queue.CAFE_MENU_DEAD-menu-again.name
  }
}

resource "aws_cloudwatch_metric_alarm" "menu-letters" {
  alarm_name          = "cafe-production-menu-letters"
  alarm_description   = "There are dead letters: look with shoal dlq."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  period              = 300
  dimensions = {
    QueueName = aws_sqs_queue.CAFE_MENU_DEAD-_letters.name
  }
}

resource "aws_cloudwatch_metric_alarm" "menu-disk" {
  alarm_name          = "cafe-production-menu-disk"
  alarm_description   = "Less than 2 GiB of the disk are free."
  comparison_operator = "LessThanThreshold"
  threshold           = 2147483648
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  statistic           = "Minimum"
  period              = 300
  dimensions = {
    DBInstanceIdentifier = aws_db_instance.menu.identifier
  }
}
