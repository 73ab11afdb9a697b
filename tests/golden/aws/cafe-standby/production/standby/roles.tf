# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Declares streams, and nothing else.
resource "aws_iam_role" "operator" {
  name = "cafe-production-standby-operator"
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
        Resource = ["arn:aws:sns:eu-west-1:${data.aws_caller_identity.own.account_id}:CAFE_*.fifo"]
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
        Resource = ["arn:aws:sqs:eu-west-1:${data.aws_caller_identity.own.account_id}:CAFE_*.fifo"]
      },
      {
        Effect = "Allow"
        Action = ["ssm:GetParametersByPath", "ssm:PutParameter"]
        Resource = [
          "arn:aws:ssm:eu-west-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams",
          "arn:aws:ssm:eu-west-1:${data.aws_caller_identity.own.account_id}:parameter/shoal/cafe/streams/*",
        ]
      },
    ]
  })
}

# Its task holds no secret, so it reads none.
resource "aws_iam_role" "operator-start" {
  name = "cafe-production-standby-operator-start"
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
    ]
  })
}

# While this region works, tasks of the first one that are there again read no secret, begin no
# other task, and write nothing that is copied to here. What they log is still kept.
resource "aws_iam_role_policy" "fence-first" {
  for_each = toset(var.take_over && !var.fenced ? ["cafe-production-till", "cafe-production-till-start", "cafe-production-menu", "cafe-production-menu-start"] : [])
  name     = "fenced-by-standby"
  role     = each.key
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Deny"
        NotAction = ["logs:*"]
        Resource  = ["*"]
      },
    ]
  })
}
