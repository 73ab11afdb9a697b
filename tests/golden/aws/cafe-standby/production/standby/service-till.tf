# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Who declares a call of it, and nobody else.
# Declared in cafe/till.py:12.
resource "aws_security_group" "till" {
  name        = "cafe-production-standby-till-group"
  description = "till of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "menu_to_till" {
  security_group_id            = aws_security_group.till.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_till" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.till.id
}

resource "aws_vpc_security_group_ingress_rule" "balancer_to_till" {
  security_group_id            = aws_security_group.till.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_vpc_security_group_egress_rule" "balancer_to_till" {
  security_group_id            = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.till.id
}

resource "aws_vpc_security_group_egress_rule" "till_to_dynamodb" {
  security_group_id = aws_security_group.till.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
}

resource "aws_vpc_security_group_egress_rule" "till_to_s3" {
  security_group_id = aws_security_group.till.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
}

# Its owner alone.
resource "aws_security_group" "postgres-till" {
  name        = "cafe-production-standby-postgres-till-group"
  description = "postgres-till of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "till_to_postgres-till" {
  security_group_id            = aws_security_group.postgres-till.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.till.id
}

resource "aws_vpc_security_group_egress_rule" "till_to_postgres-till" {
  security_group_id            = aws_security_group.till.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.postgres-till.id
}

data "aws_secretsmanager_secret_version" "till-postgres" {
  secret_id = "cafe-production/till/postgres-password"
}

resource "aws_secretsmanager_secret" "till_store-url" {
  name                    = "cafe-production-standby/till/store-url"
  description             = "SHOAL_STORE_URL: where it finds its engine."
  kms_key_id              = data.aws_kms_key.data.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "till_store-url" {
  secret_id     = aws_secretsmanager_secret.till_store-url.id
  secret_string = "postgres://till:${data.aws_secretsmanager_secret_version.till-postgres.secret_string}@${aws_db_instance.till.address}:5432/till?sslmode=verify-full&sslrootcert=/etc/shoal/files/authorities.pem"
}

data "aws_secretsmanager_secret" "till_signing-key" {
  name = "cafe-production/till/signing-key"
}

data "aws_ecr_repository" "till" {
  name = "cafe/till"
}

resource "aws_cloudwatch_log_group" "till" {
  name              = "/cafe-production-standby/till"
  retention_in_days = 30
}

# Takes what guests pay, and tells it.
# Declared in cafe/till.py:12.
resource "aws_ecs_task_definition" "till" {
  family                   = "cafe-production-standby-till"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.till.arn
  execution_role_arn       = aws_iam_role.till-start.arn
  container_definitions = jsonencode([
    {
      name  = "prepare"
      image = "${data.aws_ecr_repository.till.repository_url}:0.1.0"
      command = [
        "python",
        "-m",
        "shoal.runtime.unpacking",
        "/etc/shoal/files",
        "jwks.json=SHOAL_FILE_JWKS",
        "signing-key.json=SHOAL_FILE_SIGNING_KEY",
        "authorities.pem=SHOAL_FILE_AUTHORITIES",
      ]
      essential = false
      # Volumes belong to root here; this one ends before the service begins.
      user = "0"
      secrets = [
        {
          name      = "SHOAL_FILE_JWKS"
          valueFrom = data.aws_secretsmanager_secret.all_jwks.arn
        },
        {
          name      = "SHOAL_FILE_SIGNING_KEY"
          valueFrom = data.aws_secretsmanager_secret.till_signing-key.arn
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
          awslogs-group         = aws_cloudwatch_log_group.till.name
          awslogs-region        = "eu-west-1"
          awslogs-stream-prefix = "prepare"
        }
      }
    },
    {
      name                   = "till"
      image                  = "${data.aws_ecr_repository.till.repository_url}:0.1.0"
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
          value = "cafe.till:till"
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
          name  = "SHOAL_SIGNING_KEY"
          value = "/etc/shoal/files/signing-key.json"
        },
        {
          name  = "SHOAL_BROKER_URL"
          value = "sns:///cafe?region=eu-west-1"
        },
      ]
      secrets = [
        {
          name      = "SHOAL_STORE_URL"
          valueFrom = aws_secretsmanager_secret.till_store-url.arn
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
          awslogs-group         = aws_cloudwatch_log_group.till.name
          awslogs-region        = "eu-west-1"
          awslogs-stream-prefix = "till"
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

resource "aws_ecs_service" "till" {
  name                               = "till"
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.till.arn
  desired_count                      = 0
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
    aws_iam_role_policy.till-start,
    aws_lb_listener_rule.till,
  ]

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.till.id]
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.till-errors.alarm_name]
  }

  service_connect_configuration {
    enabled = true

    service {
      port_name      = "http"
      discovery_name = "till"

      client_alias {
        dns_name = "till"
        port     = 8080
      }

      timeout {
        per_request_timeout_seconds = 0
        idle_timeout_seconds        = 3600
      }
    }
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.till.arn
    container_name   = "till"
    container_port   = 8080
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "till" {
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.till.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  service_namespace  = "ecs"
  min_capacity       = var.take_over ? (var.fenced ? 0 : 2) : 0
  max_capacity       = var.take_over ? (var.fenced ? 0 : 4) : 0
  depends_on         = [aws_route.out, aws_vpc_endpoint.interfaces, aws_db_instance.till]
}

resource "aws_appautoscaling_policy" "till_processor" {
  name               = "till-processor"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.till.resource_id
  scalable_dimension = aws_appautoscaling_target.till.scalable_dimension
  service_namespace  = aws_appautoscaling_target.till.service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = 70
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "till_memory" {
  name               = "till-memory"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.till.resource_id
  scalable_dimension = aws_appautoscaling_target.till.scalable_dimension
  service_namespace  = aws_appautoscaling_target.till.service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = 80
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageMemoryUtilization"
    }
  }
}

resource "aws_cloudwatch_log_group" "till_postgres" {
  name              = "/aws/rds/instance/cafe-production-standby-till/postgresql"
  retention_in_days = 30
}

# Declared in cafe/till.py:12.
resource "aws_db_instance" "till" {
  identifier = "cafe-production-standby-till"
  # Engine, users, passwords and size are those of the database that it follows.
  replicate_source_db             = var.take_over ? null : "arn:aws:rds:eu-central-1:${data.aws_caller_identity.own.account_id}:db:cafe-production-till"
  apply_immediately               = true
  instance_class                  = "db.t4g.micro"
  max_allocated_storage           = 100
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = data.aws_kms_key.data.arn
  multi_az                        = var.spread
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.engines.name
  parameter_group_name            = aws_db_parameter_group.postgres.name
  vpc_security_group_ids          = [aws_security_group.postgres-till.id]
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = var.take_over ? false : true
  final_snapshot_identifier       = "cafe-production-standby-till-last-${terraform_data.begun.output}"
  depends_on                      = [aws_cloudwatch_log_group.till_postgres]
}

# Declared in cafe/till.py:12.
resource "aws_iam_role" "till" {
  name = "cafe-production-standby-till"
  path = "/cafe-production-standby/"
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

resource "aws_iam_role_policy" "till" {
  name = "declared"
  role = aws_iam_role.till.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Its own events, and its own dead letters.
      {
        Effect   = "Allow"
        Action   = ["sns:Publish", "sns:GetTopicAttributes"]
        Resource = [aws_sns_topic.CAFE_TILL.arn]
      },
      # Which streams there are.
      {
        Effect = "Allow"
        Action = ["ssm:GetParametersByPath"]
        Resource = [
          "arn:aws:ssm:eu-west-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams",
          "arn:aws:ssm:eu-west-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams/*",
        ]
      },
      # What lies there is encrypted; the key is used there alone.
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [data.aws_kms_key.data.arn]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.eu-west-1.amazonaws.com"
          }
        }
      },
    ]
  })
}

resource "aws_iam_role" "till-start" {
  name = "cafe-production-standby-till-start"
  path = "/cafe-production-standby/"
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

resource "aws_iam_role_policy" "till-start" {
  name = "declared"
  role = aws_iam_role.till-start.id
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
        Resource = [data.aws_ecr_repository.till.arn]
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
        Resource = ["${aws_cloudwatch_log_group.till.arn}:*"]
      },
      # Its own secrets.
      {
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue"]
        Resource = [
          "arn:aws:secretsmanager:eu-west-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production-standby/till/*",
          "arn:aws:secretsmanager:eu-west-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production-standby/all/*",
          "arn:aws:secretsmanager:eu-west-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production/till/*",
          "arn:aws:secretsmanager:eu-west-1:${data.aws_caller_identity.own.account_id}:secret:cafe-production/all/*",
        ]
      },
      # What lies there is encrypted; the key is used there alone.
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [data.aws_kms_key.data.arn]
        Condition = {
          StringEquals = {
            "kms:ViaService" = "secretsmanager.eu-west-1.amazonaws.com"
          }
        }
      },
    ]
  })
}

resource "aws_cloudwatch_metric_alarm" "till-busy" {
  alarm_name          = "cafe-production-standby-till-busy"
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
    ServiceName = aws_ecs_service.till.name
  }
}

resource "aws_cloudwatch_metric_alarm" "till-errors" {
  alarm_name          = "cafe-production-standby-till-errors"
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
    TargetGroup  = aws_lb_target_group.till.arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "till-disk" {
  alarm_name          = "cafe-production-standby-till-disk"
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
    DBInstanceIdentifier = aws_db_instance.till.identifier
  }
}

resource "aws_cloudwatch_metric_alarm" "till-behind" {
  alarm_name          = "cafe-production-standby-till-behind"
  alarm_description   = "Its copy is more than 900 s behind the first region, or does not follow it: so much would be lost."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 900
  evaluation_periods  = 1
  treat_missing_data  = var.take_over ? "notBreaching" : "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  statistic           = "Maximum"
  period              = 300
  dimensions = {
    DBInstanceIdentifier = aws_db_instance.till.identifier
  }
}
