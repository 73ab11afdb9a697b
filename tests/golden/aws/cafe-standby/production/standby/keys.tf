# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

data "aws_kms_key" "data" {
  key_id = "alias/cafe-production-data-standby"
}

data "aws_secretsmanager_secret" "all_jwks" {
  name = "cafe-production/all/jwks"
}

resource "aws_secretsmanager_secret" "all_authorities" {
  name                    = "cafe-production-standby/all/authorities"
  description             = "The file authorities.pem. As AWS publishes them for the region."
  kms_key_id              = data.aws_kms_key.data.arn
  recovery_window_in_days = 30
}
