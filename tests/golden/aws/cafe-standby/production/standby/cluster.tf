# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Services find each other by their names in it (Service Connect), within the network.
resource "aws_service_discovery_http_namespace" "main" {
  name = "cafe-production-standby"
}

resource "aws_ecs_cluster" "main" {
  name = "cafe-production-standby"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.main.arn
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}
