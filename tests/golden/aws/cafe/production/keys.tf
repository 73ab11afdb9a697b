# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "aws_kms_key" "data" {
  description             = "Encrypts what cafe keeps in production."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::${data.aws_caller_identity.own.account_id}:root"
        }
        Action   = "kms:*"
        Resource = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "data" {
  name          = "alias/cafe-production-data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_secretsmanager_secret" "all_jwks" {
  name                    = "cafe-production/all/jwks"
  description             = "The file jwks.json. Verifies tokens; not secret."
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret" "all_authorities" {
  name                    = "cafe-production/all/authorities"
  description             = "The file authorities.pem. As AWS publishes them for the region."
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = 30
}
