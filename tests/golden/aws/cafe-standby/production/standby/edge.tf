# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

# Its own record proves whose name it is.
resource "aws_acm_certificate" "main" {
  domain_name       = "cafe.example"
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# The first region's record proves it: it is the same for each certificate of that name in an
# account.
resource "aws_acm_certificate_validation" "main" {
  certificate_arn = aws_acm_certificate.main.arn
}

resource "aws_apigatewayv2_api" "main" {
  name                         = "cafe-production-standby"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true
}

resource "aws_apigatewayv2_vpc_link" "main" {
  name               = "cafe-production-standby"
  subnet_ids         = aws_subnet.private[*].id
  security_group_ids = [aws_security_group.link.id]
}

# Inside only: the API reaches it by its private link, and nobody else does.
resource "aws_lb" "main" {
  name                       = "cafe-production-standby"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = aws_subnet.private[*].id
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
}

resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate_validation.main.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      status_code  = "404"
      message_body = "{\"title\":\"Not Found\",\"status\":404}"
    }
  }
}

resource "aws_lb_target_group" "menu" {
  name                          = "cafe-production-standby-menu"
  port                          = 8080
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = aws_vpc.main.id
  deregistration_delay          = 10
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    # Not /ready: a task that fails this is replaced, which brings no database back.
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
    matcher             = "200"
  }
}

resource "aws_lb_listener_rule" "menu" {
  listener_arn = aws_lb_listener.main.arn
  priority     = 1

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.menu.arn
  }

  condition {
    http_header {
      http_header_name = "x-shoal-service"
      values           = ["menu"]
    }
  }
}

resource "aws_lb_target_group" "till" {
  name                          = "cafe-production-standby-till"
  port                          = 8080
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = aws_vpc.main.id
  deregistration_delay          = 10
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    # Not /ready: a task that fails this is replaced, which brings no database back.
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
    matcher             = "200"
  }
}

resource "aws_lb_listener_rule" "till" {
  listener_arn = aws_lb_listener.main.arn
  priority     = 2

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.till.arn
  }

  condition {
    http_header {
      http_header_name = "x-shoal-service"
      values           = ["till"]
    }
  }
}

resource "aws_apigatewayv2_integration" "till" {
  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "HTTP_PROXY"
  integration_method     = "ANY"
  integration_uri        = aws_lb_listener.main.arn
  connection_type        = "VPC_LINK"
  connection_id          = aws_apigatewayv2_vpc_link.main.id
  payload_format_version = "1.0"
  timeout_milliseconds   = 5000
  request_parameters = {
    "overwrite:header.x-shoal-service"     = "till"
    "overwrite:header.x-shoal-client"      = "$context.identity.sourceIp"
    "remove:header.cf-connecting-ip"       = "''"
    "remove:header.remote-user"            = "''"
    "remove:header.true-client-ip"         = "''"
    "remove:header.x-client-ip"            = "''"
    "remove:header.x-cluster-client-ip"    = "''"
    "remove:header.x-http-method"          = "''"
    "remove:header.x-http-method-override" = "''"
    "remove:header.x-method-override"      = "''"
    "remove:header.x-original-host"        = "''"
    "remove:header.x-original-method"      = "''"
    "remove:header.x-original-url"         = "''"
    "remove:header.x-real-ip"              = "''"
    "remove:header.x-remote-user"          = "''"
    "remove:header.x-rewrite-url"          = "''"
    "remove:header.x-webauth-user"         = "''"
  }

  tls_config {
    server_name_to_verify = "cafe.example"
  }
}

resource "aws_apigatewayv2_route" "GET__well-known_jwks_json_83432a" {
  api_id    = aws_apigatewayv2_api.main.id
  route_key = "GET /.well-known/jwks.json"
  target    = "integrations/${aws_apigatewayv2_integration.till.id}"
}

resource "aws_apigatewayv2_integration" "menu" {
  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "HTTP_PROXY"
  integration_method     = "ANY"
  integration_uri        = aws_lb_listener.main.arn
  connection_type        = "VPC_LINK"
  connection_id          = aws_apigatewayv2_vpc_link.main.id
  payload_format_version = "1.0"
  timeout_milliseconds   = 5000
  request_parameters = {
    "overwrite:header.x-shoal-service"     = "menu"
    "overwrite:header.x-shoal-client"      = "$context.identity.sourceIp"
    "remove:header.cf-connecting-ip"       = "''"
    "remove:header.remote-user"            = "''"
    "remove:header.true-client-ip"         = "''"
    "remove:header.x-client-ip"            = "''"
    "remove:header.x-cluster-client-ip"    = "''"
    "remove:header.x-http-method"          = "''"
    "remove:header.x-http-method-override" = "''"
    "remove:header.x-method-override"      = "''"
    "remove:header.x-original-host"        = "''"
    "remove:header.x-original-method"      = "''"
    "remove:header.x-original-url"         = "''"
    "remove:header.x-real-ip"              = "''"
    "remove:header.x-remote-user"          = "''"
    "remove:header.x-rewrite-url"          = "''"
    "remove:header.x-webauth-user"         = "''"
  }

  tls_config {
    server_name_to_verify = "cafe.example"
  }
}

resource "aws_apigatewayv2_route" "GET_menu_171621" {
  api_id    = aws_apigatewayv2_api.main.id
  route_key = "GET /menu"
  target    = "integrations/${aws_apigatewayv2_integration.menu.id}"
}

resource "aws_apigatewayv2_route" "POST_sales_6cd0b4" {
  api_id    = aws_apigatewayv2_api.main.id
  route_key = "POST /sales"
  target    = "integrations/${aws_apigatewayv2_integration.till.id}"
}

resource "aws_apigatewayv2_integration" "till_2" {
  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "HTTP_PROXY"
  integration_method     = "ANY"
  integration_uri        = aws_lb_listener.main.arn
  connection_type        = "VPC_LINK"
  connection_id          = aws_apigatewayv2_vpc_link.main.id
  payload_format_version = "1.0"
  timeout_milliseconds   = 2000
  request_parameters = {
    "overwrite:header.x-shoal-service"     = "till"
    "overwrite:header.x-shoal-client"      = "$context.identity.sourceIp"
    "remove:header.cf-connecting-ip"       = "''"
    "remove:header.remote-user"            = "''"
    "remove:header.true-client-ip"         = "''"
    "remove:header.x-client-ip"            = "''"
    "remove:header.x-cluster-client-ip"    = "''"
    "remove:header.x-http-method"          = "''"
    "remove:header.x-http-method-override" = "''"
    "remove:header.x-method-override"      = "''"
    "remove:header.x-original-host"        = "''"
    "remove:header.x-original-method"      = "''"
    "remove:header.x-original-url"         = "''"
    "remove:header.x-real-ip"              = "''"
    "remove:header.x-remote-user"          = "''"
    "remove:header.x-rewrite-url"          = "''"
    "remove:header.x-webauth-user"         = "''"
  }

  tls_config {
    server_name_to_verify = "cafe.example"
  }
}

resource "aws_apigatewayv2_route" "GET_sales_number_befe16" {
  api_id    = aws_apigatewayv2_api.main.id
  route_key = "GET /sales/{number}"
  target    = "integrations/${aws_apigatewayv2_integration.till_2.id}"
}

resource "aws_cloudwatch_log_group" "edge" {
  name              = "/cafe-production-standby/edge"
  retention_in_days = 30
}

resource "aws_apigatewayv2_stage" "main" {
  api_id      = aws_apigatewayv2_api.main.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.edge.arn
    format = jsonencode({
      requestId          = "$context.requestId"
      ip                 = "$context.identity.sourceIp"
      requestTime        = "$context.requestTime"
      httpMethod         = "$context.httpMethod"
      routeKey           = "$context.routeKey"
      status             = "$context.status"
      responseLength     = "$context.responseLength"
      integrationLatency = "$context.integrationLatency"
    })
  }
}

resource "aws_apigatewayv2_domain_name" "main" {
  domain_name = "cafe.example"

  domain_name_configuration {
    certificate_arn = aws_acm_certificate_validation.main.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "main" {
  api_id      = aws_apigatewayv2_api.main.id
  domain_name = aws_apigatewayv2_domain_name.main.id
  stage       = aws_apigatewayv2_stage.main.id
}

resource "aws_route53_health_check" "first" {
  type              = "HTTPS"
  fqdn              = "cafe.example"
  port              = 443
  request_interval  = 30
  failure_threshold = 3
  # Amazon says: one that is disabled is healthy, and unhealthy where it is inverted. Nothing is
  # asked by it.
  disabled           = true
  invert_healthcheck = var.take_over
}

resource "aws_route53_record" "first" {
  zone_id         = "Z0123456789ABC"
  name            = "cafe.example"
  type            = "A"
  set_identifier  = "first"
  health_check_id = aws_route53_health_check.first.id

  alias {
    name                   = "first.cafe.example"
    zone_id                = "Z0123456789ABC"
    evaluate_target_health = false
  }

  failover_routing_policy {
    type = "PRIMARY"
  }
}

resource "aws_route53_record" "second" {
  zone_id        = "Z0123456789ABC"
  name           = "cafe.example"
  type           = "A"
  set_identifier = "second"

  alias {
    name                   = aws_apigatewayv2_domain_name.main.domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.main.domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }

  failover_routing_policy {
    type = "SECONDARY"
  }
}
