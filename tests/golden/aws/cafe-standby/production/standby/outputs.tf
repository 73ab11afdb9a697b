# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

output "address" {
  description = "Where clients call."
  value       = "https://cafe.example"
}

output "services" {
  description = "What each service is called here."
  value = {
    till = {
      image   = data.aws_ecr_repository.till.repository_url
      service = aws_ecs_service.till.name
      task    = aws_ecs_task_definition.till.family
      log     = aws_cloudwatch_log_group.till.name
    }
    menu = {
      image   = data.aws_ecr_repository.menu.repository_url
      service = aws_ecs_service.menu.name
      task    = aws_ecs_task_definition.menu.family
      log     = aws_cloudwatch_log_group.menu.name
    }
  }
}

output "tasks" {
  description = "Where and with what migrations and the operator's task are run."
  value = {
    cluster = aws_ecs_cluster.main.name
    subnets = aws_subnet.private[*].id
    groups = {
      till = aws_security_group.till.id
      menu = aws_security_group.menu.id
    }
    operators      = [aws_ecs_task_definition.operator.family]
    operator_group = aws_security_group.operator.id
  }
}
