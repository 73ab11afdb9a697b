"""The HTTP API, its private link, the balancer inside, and the pool of users."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.edge import SERVICE
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.host import API, host
from shoal.deploy.aws.network import BALANCER, LINK
from shoal.deploy.aws.resources import Door, Pool, Route
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.system import PORT
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Text, Value, block, items

LOGGED = ("requestId", "ip", "requestTime", "httpMethod", "routeKey", "status", "responseLength", "integrationLatency")
"""What the API says of each request; never a query or a header, which may hold secrets."""


def door(one: Door, context: Context) -> Iterator[Block]:
    """Write the door."""
    name = context.named()
    api: dict[str, Value] = {
        "name": name,
        "protocol_type": "HTTP",
        "disable_execute_api_endpoint": bool(one.certificate),
    }
    yield resource("aws_apigatewayv2_api", "main", *items(api, *_cors(one)), notes=context.notes(one))
    for issuer, (address, audiences) in one.authorizers.items():
        rule = block(
            "jwt_configuration", issuer=context.written(address), audience=[context.written(text) for text in audiences]
        )
        source: Value = ["$request.header.Authorization"]
        own: dict[str, Value] = {"name": issuer, "authorizer_type": "JWT", "identity_sources": source}
        yield resource("aws_apigatewayv2_authorizer", issuer, *items({**API, **own}, rule))
    yield from _link(context)
    yield from _balancer(one, context)
    yield from _routes(one)
    yield from _stage(one, context)
    if one.host and one.certificate:
        yield from host(one, context)


def _cors(one: Door) -> Iterator[Block]:
    if one.origins:
        yield block(
            "cors_configuration",
            allow_origins=[*one.origins],
            allow_methods=[*one.methods],
            allow_headers=[*one.headers],
            expose_headers=[*one.exposed],
            allow_credentials=one.credentials,
            max_age=one.age,
        )


def _link(context: Context) -> Iterator[Block]:
    link: dict[str, Value] = {
        "name": context.named(),
        "subnet_ids": Raw("aws_subnet.private[*].id"),
        "security_group_ids": [context.at(Ref("group", LINK, "id"))],
    }
    yield resource("aws_apigatewayv2_vpc_link", "main", *items(link))


def _balancer(one: Door, context: Context) -> Iterator[Block]:
    protected = context.scope.environment.protected
    yield resource(
        "aws_lb",
        "main",
        *items(
            {
                "name": context.named(limit=naming.BALANCER),
                "internal": True,
                "load_balancer_type": "application",
                "subnets": Raw("aws_subnet.private[*].id"),
                "security_groups": [context.at(Ref("group", BALANCER, "id"))],
                "drop_invalid_header_fields": True,
                "enable_deletion_protection": protected,
            }
        ),
        notes=("Inside only: the API reaches it by its private link, and nobody else does.",),
    )
    if one.web_acl:
        arguments: dict[str, Value] = {"resource_arn": Raw("aws_lb.main.arn"), "web_acl_arn": one.web_acl}
        yield resource("aws_wafv2_web_acl_association", "main", *items(arguments))
    answer = block("fixed_response", content_type="application/json", status_code="404", message_body=_UNKNOWN)
    refused = Block(kind="default_action", body=items({"type": "fixed-response"}, answer))
    secure: dict[str, Value] = {
        "certificate_arn": context.written(one.certificate),
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    }
    heard: dict[str, Value] = {
        "load_balancer_arn": Raw("aws_lb.main.arn"),
        "port": 443 if one.certificate else 80,
        "protocol": "HTTPS" if one.certificate else "HTTP",
        **(secure if one.certificate else {}),
    }
    yield resource("aws_lb_listener", "main", *items(heard, refused))
    for number, (service, drain) in enumerate(sorted(one.targets.items()), 1):
        yield from _target(service, drain, number, context)


_UNKNOWN = '{"title":"Not Found","status":404}'


def _target(service: str, drain: int, number: int, context: Context) -> Iterator[Block]:
    why = "Not /ready: a task that fails this is replaced, which brings no database back."
    checked = block(
        "health_check",
        path=Noted("/health", why),
        interval=10,
        timeout=5,
        healthy_threshold=2,
        unhealthy_threshold=3,
        matcher="200",
    )
    yield resource(
        "aws_lb_target_group",
        service,
        *items(
            {
                "name": context.named(service, limit=naming.BALANCER),
                "port": PORT,
                "protocol": "HTTP",
                "target_type": "ip",
                "vpc_id": Raw("aws_vpc.main.id"),
                "deregistration_delay": drain,
                "load_balancing_algorithm_type": "least_outstanding_requests",
            },
            checked,
        ),
    )
    on = block("action", type="forward", target_group_arn=Raw(f"aws_lb_target_group.{service}.arn"))
    header = block("http_header", http_header_name=SERVICE, values=[service])
    named: dict[str, Value] = {"listener_arn": Raw("aws_lb_listener.main.arn"), "priority": number}
    yield resource("aws_lb_listener_rule", service, *items(named, on, Block(kind="condition", body=(header,))))


def _routes(one: Door) -> Iterator[Block]:
    """Write routes; those that are treated alike share how they are led on."""
    names, known = dict[str, str](), Counter[str]()
    for route in one.routes:
        treated = repr((route.service, sorted(route.parameters.items()), route.seconds))
        if treated not in names:
            known[route.service] += 1
            names[treated] = f"{route.service}_{known[route.service]}" if known[route.service] > 1 else route.service
            yield _integration(one, route, names[treated])
        arguments: dict[str, Value] = {
            **API,
            "route_key": route.key,
            "target": Text(("integrations/", Raw(f"aws_apigatewayv2_integration.{names[treated]}.id"))),
        }
        if route.authorizer:
            arguments["authorization_type"] = "JWT"
            arguments["authorizer_id"] = Raw(f"aws_apigatewayv2_authorizer.{label(route.authorizer)}.id")
        yield resource("aws_apigatewayv2_route", _named(route.key), *items(arguments))


def _named(key: str) -> str:
    """Name a route for people, and apart from every other."""
    words = "_".join(part.strip("{}") for part in key.replace(" ", "/").split("/") if part)
    return f"{label(words)}_{hashlib.sha256(key.encode()).hexdigest()[:6]}"


def _integration(one: Door, route: Route, name: str) -> Block:
    tls = (block("tls_config", server_name_to_verify=one.host),) if one.certificate and one.host else ()
    arguments: dict[str, Value] = {
        **API,
        "integration_type": "HTTP_PROXY",
        "integration_method": "ANY",
        "integration_uri": Raw("aws_lb_listener.main.arn"),
        "connection_type": "VPC_LINK",
        "connection_id": Raw("aws_apigatewayv2_vpc_link.main.id"),
        "payload_format_version": "1.0",
        "timeout_milliseconds": math.ceil(route.seconds * 1000),
        "request_parameters": dict(route.parameters),
    }
    return resource("aws_apigatewayv2_integration", name, *items(arguments, *tls))


def _stage(one: Door, context: Context) -> Iterator[Block]:
    group: dict[str, Value] = {
        "name": f"/{context.named()}/edge",
        "retention_in_days": context.scope.environment.keep_logs,
    }
    yield resource("aws_cloudwatch_log_group", "edge", *items(group))
    told = json({word: f"$context.{'identity.sourceIp' if word == 'ip' else word}" for word in LOGGED})
    access = block("access_log_settings", destination_arn=Raw("aws_cloudwatch_log_group.edge.arn"), format=told)
    limits = [
        block(
            "route_settings",
            route_key=route.key,
            throttling_rate_limit=route.limit[0],
            throttling_burst_limit=route.limit[1],
        )
        for route in one.routes
        if route.limit is not None
    ]
    arguments: dict[str, Value] = {**API, "name": "$default", "auto_deploy": True}
    if limits:
        arguments["depends_on"] = [
            Raw(f"aws_apigatewayv2_route.{_named(route.key)}") for route in one.routes if route.limit is not None
        ]
    yield resource("aws_apigatewayv2_stage", "main", *items(arguments, access, *limits))


def pool(one: Pool, context: Context) -> Iterator[Block]:
    """Write a pool of users, and the client that signs them in."""
    name = context.named()
    yield resource(
        "aws_cognito_user_pool",
        one.name,
        *items(
            {
                "name": name,
                "username_attributes": ["email"],
                "auto_verified_attributes": ["email"],
                "deletion_protection": "ACTIVE" if one.protected else "INACTIVE",
                "mfa_configuration": "OPTIONAL",
            },
            block("software_token_mfa_configuration", enabled=True),
            block("password_policy", minimum_length=12, temporary_password_validity_days=3),
        ),
        notes=context.notes(one),
    )
    where = f"https://{one.host}" if one.host else "http://localhost:5173"
    yield resource(
        "aws_cognito_user_pool_client",
        one.name,
        *items(
            {
                "name": name,
                "user_pool_id": Raw(f"aws_cognito_user_pool.{one.name}.id"),
                "allowed_oauth_flows_user_pool_client": True,
                "allowed_oauth_flows": ["code"],
                "allowed_oauth_scopes": ["openid", "email"],
                "supported_identity_providers": ["COGNITO"],
                "callback_urls": [where],
                "prevent_user_existence_errors": "ENABLED",
                "enable_token_revocation": True,
            }
        ),
    )
