# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Run it after each change of events. Any image that speaks to the broker has what it takes.
resource "aws_ecs_task_definition" "operator" {
  family                   = "cafe-production-standby-operator"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.operator.arn
  execution_role_arn       = aws_iam_role.operator-start.arn
  container_definitions = jsonencode([
    {
      name      = "operator"
      image     = "${data.aws_ecr_repository.till.repository_url}:0.1.0"
      command   = ["python", "-m", "shoal.runtime.declaring"]
      essential = true
      user      = "10001"
      environment = [
        {
          name  = "SHOAL_BROKER_URL"
          value = "sns:///cafe?region=eu-west-1"
        },
        {
          name  = "SHOAL_STREAMS"
          value = "{\"streams\":[{\"name\":\"CAFE_TILL\",\"subjects\":[\"cafe.event.till.sold.v1.*\"],\"age\":604800.0,\"largest\":278528},{\"name\":\"CAFE_MENU_DEAD\",\"subjects\":[\"cafe.again.menu\",\"cafe.dead.menu\"],\"age\":0.0}],\"consumers\":[{\"stream\":\"CAFE_TILL\",\"name\":\"menu-0\",\"subjects\":[\"cafe.event.till.sold.v1.0\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-1\",\"subjects\":[\"cafe.event.till.sold.v1.1\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-2\",\"subjects\":[\"cafe.event.till.sold.v1.2\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-3\",\"subjects\":[\"cafe.event.till.sold.v1.3\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_MENU_DEAD\",\"name\":\"menu-again\",\"subjects\":[\"cafe.again.menu\"],\"ack_wait\":5.0}]}"
        },
      ]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.till.name
          awslogs-region        = "eu-west-1"
          awslogs-stream-prefix = "operator"
        }
      }
    },
  ])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }
}
