# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

data "aws_availability_zones" "here" {
  state            = "available"
  exclude_zone_ids = ["apne1-az3", "cac1-az3", "use1-az3", "usw1-az2"]
}

# Nothing in it has a public address but the gateways by which services reach what is outside.
resource "aws_vpc" "main" {
  cidr_block           = "10.41.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags = {
    Name = "cafe-production-standby"
  }
}

# What names no group of its own reaches nothing.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.main.id
}

resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  availability_zone = data.aws_availability_zones.here.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, count.index)
  tags = {
    Name = "cafe-production-standby-private-${count.index}"
  }
}

resource "aws_subnet" "engines" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  availability_zone = data.aws_availability_zones.here.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, count.index + 4)
  tags = {
    Name = "cafe-production-standby-engines-${count.index}"
  }
}

resource "aws_subnet" "public" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  availability_zone = data.aws_availability_zones.here.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, count.index + 8)
  tags = {
    Name = "cafe-production-standby-public-${count.index}"
  }
}

resource "aws_route_table" "private" {
  count  = 3
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table_association" "private" {
  count          = 3
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

# Leads nowhere: engines ask nobody outside.
resource "aws_route_table" "engines" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table_association" "engines" {
  count          = 3
  subnet_id      = aws_subnet.engines[count.index].id
  route_table_id = aws_route_table.engines.id
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table_association" "public" {
  count          = 3
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_eip" "out" {
  count  = var.take_over ? 3 : 0
  domain = "vpc"
}

resource "aws_nat_gateway" "out" {
  count         = var.take_over ? 3 : 0
  allocation_id = aws_eip.out[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags = {
    Name = "cafe-production-standby-out-${count.index}"
  }
  depends_on = [aws_internet_gateway.main]
}

resource "aws_route" "out" {
  count                  = var.take_over ? 3 : 0
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.out[count.index].id
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = aws_vpc.main.id
  service_name      = "com.amazonaws.eu-west-1.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.main.id
  service_name      = "com.amazonaws.eu-west-1.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id
}

resource "aws_vpc_endpoint" "interfaces" {
  for_each            = toset(var.take_over ? ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sns", "sqs", "ssm"] : [])
  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.eu-west-1.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
}

# The private link of the API; nobody connects to it.
resource "aws_security_group" "link" {
  name        = "cafe-production-standby-link-group"
  description = "link of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "balancer" {
  name        = "cafe-production-standby-balancer-group"
  description = "balancer of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "link_to_balancer" {
  security_group_id            = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.link.id
}

resource "aws_vpc_security_group_egress_rule" "link_to_balancer" {
  security_group_id            = aws_security_group.link.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_security_group" "valkey" {
  name        = "cafe-production-standby-valkey-group"
  description = "valkey of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "menu_to_valkey" {
  security_group_id            = aws_security_group.valkey.id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_valkey" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.valkey.id
}

resource "aws_security_group" "endpoints" {
  name        = "cafe-production-standby-endpoints-group"
  description = "endpoints of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "till_to_endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.till.id
}

resource "aws_vpc_security_group_egress_rule" "till_to_endpoints" {
  security_group_id            = aws_security_group.till.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_vpc_security_group_ingress_rule" "menu_to_endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.menu.id
}

resource "aws_vpc_security_group_egress_rule" "menu_to_endpoints" {
  security_group_id            = aws_security_group.menu.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_vpc_security_group_ingress_rule" "operator_to_endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.operator.id
}

resource "aws_vpc_security_group_egress_rule" "operator_to_endpoints" {
  security_group_id            = aws_security_group.operator.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints.id
}

resource "aws_security_group" "operator" {
  name        = "cafe-production-standby-operator-group"
  description = "operator of cafe"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_egress_rule" "operator_to_dynamodb" {
  security_group_id = aws_security_group.operator.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
}

resource "aws_vpc_security_group_egress_rule" "operator_to_s3" {
  security_group_id = aws_security_group.operator.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
}
