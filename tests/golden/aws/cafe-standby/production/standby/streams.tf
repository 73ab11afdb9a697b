# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "aws_sns_topic" "CAFE_TILL" {
  name                        = "CAFE_TILL.fifo"
  fifo_topic                  = true
  content_based_deduplication = false
  fifo_throughput_scope       = "MessageGroup"
  kms_master_key_id           = data.aws_kms_key.data.arn
}

resource "aws_sns_topic" "CAFE_MENU_DEAD" {
  name                        = "CAFE_MENU_DEAD.fifo"
  fifo_topic                  = true
  content_based_deduplication = false
  fifo_throughput_scope       = "MessageGroup"
  kms_master_key_id           = data.aws_kms_key.data.arn
}

# Dead letters, until somebody removes them or fourteen days have gone.
resource "aws_sqs_queue" "CAFE_MENU_DEAD-_letters" {
  name                        = "CAFE_MENU_DEAD-_letters.fifo"
  fifo_queue                  = true
  content_based_deduplication = false
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  message_retention_seconds   = 1209600
  visibility_timeout_seconds  = 30
  sqs_managed_sse_enabled     = true
}

resource "aws_sqs_queue_policy" "CAFE_MENU_DEAD-_letters" {
  queue_url = aws_sqs_queue.CAFE_MENU_DEAD-_letters.id
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
        Resource = aws_sqs_queue.CAFE_MENU_DEAD-_letters.arn
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = aws_sns_topic.CAFE_MENU_DEAD.arn
          }
        }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "CAFE_MENU_DEAD-_letters" {
  topic_arn            = aws_sns_topic.CAFE_MENU_DEAD.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.CAFE_MENU_DEAD-_letters.arn
  raw_message_delivery = true
}
