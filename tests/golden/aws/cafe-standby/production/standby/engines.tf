# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# What is left of a database has a name that no later one of the same name has.
resource "terraform_data" "begun" {
  input = formatdate("YYYYMMDDhhmmss", timestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_subnet_group" "engines" {
  name       = "cafe-production-standby"
  subnet_ids = aws_subnet.engines[*].id
}

resource "aws_db_parameter_group" "postgres" {
  name   = "cafe-production-standby"
  family = "postgres18"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_elasticache_subnet_group" "engines" {
  name       = "cafe-production-standby"
  subnet_ids = aws_subnet.engines[*].id
}

resource "aws_elasticache_user" "menu" {
  user_id       = "cafe-production-standby-menu"
  user_name     = "menu"
  engine        = "valkey"
  access_string = "on ~cafe:menu:* -@all +ping +get +getex +set +del +exists +pttl +pexpire +incrby +eval +evalsha +time +cluster|slots +asking"
  passwords     = [random_password.menu-valkey.result]
}

resource "aws_elasticache_user_group" "main" {
  user_group_id = "cafe-production-standby"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.menu.user_id]
}

# A service can do without what is in its cache, so there are no backups.
resource "aws_elasticache_replication_group" "main" {
  replication_group_id       = "cafe-production-standby"
  description                = "What cafe can do without"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.micro"
  parameter_group_name       = "default.valkey8.cluster.on"
  num_node_groups            = 1
  replicas_per_node_group    = var.spread ? 1 : 0
  automatic_failover_enabled = true
  multi_az_enabled           = var.spread
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = data.aws_kms_key.data.arn
  user_group_ids             = [aws_elasticache_user_group.main.id]
  subnet_group_name          = aws_elasticache_subnet_group.engines.name
  security_group_ids         = [aws_security_group.valkey.id]
}
