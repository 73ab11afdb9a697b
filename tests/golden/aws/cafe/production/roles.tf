# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Declares streams, and nothing else.
resource "aws_iam_role" "operator" {
  name = "cafe-production-operator"
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

resource "aws_iam_role_policy" "operator" {
  name = "declared"
  role = aws_iam_role.operator.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "sns:CreateTopic",
          "sns:GetTopicAttributes",
          "sns:Subscribe",
          "sns:ListSubscriptionsByTopic",
          "sns:SetSubscriptionAttributes",
        ]
        Resource = [
          "arn:aws:sns:eu-central-1:${data.aws_caller_identity.own.account_id}:CAFE_*.fifo",
        ]
      },
      {
        Effect   = "Allow"
        Action   = ["sns:ListTopics", "sns:SetSubscriptionAttributes"]
        Resource = ["*"]
      },
      {
        Effect = "Allow"
        Action = [
          "sqs:CreateQueue",
          "sqs:GetQueueUrl",
          "sqs:GetQueueAttributes",
          "sqs:SetQueueAttributes",
          "sqs:ListQueueTags",
          "sqs:TagQueue",
        ]
        Resource = [
          "arn:aws:sqs:eu-central-1:${data.aws_caller_identity.own.account_id}:CAFE_*.fifo",
        ]
      },
      {
        Effect = "Allow"
        Action = ["ssm:GetParametersByPath", "ssm:PutParameter"]
        Resource = [
          "arn:aws:ssm:eu-central-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams",
          "arn:aws:ssm:eu-central-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams/*",
        ]
      },
    ]
  })
}

# Its task holds no secret, so it reads none.
resource "aws_iam_role" "operator-start" {
  name = "cafe-production-operator-start"
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

resource "aws_iam_role_policy" "operator-start" {
  name = "declared"
  role = aws_iam_role.operator-start.id
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
        Resource = [aws_ecr_repository.till.arn]
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
    ]
  })
}

# Pipelines show a token of their run, and keep no key.
resource "aws_iam_openid_connect_provider" "pipelines" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "delivery" {
  name = "cafe-production-delivery"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Federated = aws_iam_openid_connect_provider.pipelines.arn
        }
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = "repo:example/cafe:environment:production"
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "delivery" {
  name = "declared"
  role = aws_iam_role.delivery.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"]
      },
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = [
          "arn:aws:ecr:eu-central-1:${data.aws_caller_identity.own.account_id}:repository/cafe/*",
        ]
      },
      {
        Effect   = "Allow"
        Action   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
        Resource = ["*"]
      },
      {
        Effect = "Allow"
        Action = ["ecs:DescribeServices", "ecs:UpdateService"]
        Resource = [
          "arn:aws:ecs:eu-central-1:${data.aws_caller_identity.own.account_id}:service/cafe-production/*",
        ]
      },
      # Migrations and streams.
      {
        Effect = "Allow"
        Action = ["ecs:RunTask"]
        Resource = [
          "arn:aws:ecs:eu-central-1:${data.aws_caller_identity.own.account_id}:task-definition/cafe-production-*",
        ]
      },
      # Roles of tasks have a path of their own; that of pipelines is not among them.
      {
        Effect = "Allow"
        Action = ["iam:PassRole"]
        Resource = [
          "arn:aws:iam::${data.aws_caller_identity.own.account_id}:role/cafe-production/*",
        ]
        Condition = {
          StringEquals = {
            "iam:PassedToService" = "ecs-tasks.amazonaws.com"
          }
        }
      },
    ]
  })
}
