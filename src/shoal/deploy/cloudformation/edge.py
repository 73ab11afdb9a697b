"""The door as a CloudFormation template: the same HTTP API as Terraform's, from the same resource. Pure.

It takes what is inside as parameters (the balancer's listener, subnets, a group), so that it can be a stack of its own.
"""

import hashlib
import math
import re

from shoal.deploy import yaml
from shoal.deploy.aws.resources import Door, Route
from shoal.deploy.cloud.values import Join, Ref, Value
from shoal.deploy.yaml import Json

_HEAD = (
    "Written by `shoal deploy aws`; changes are lost.",
    "The API of edge.tf as a stack, for those who keep it in CloudFormation: use one of the two.",
)
_API: Json = {"Ref": "Api"}
_POOL = {"id": "Pool", "client": "Client"}
"""Attributes of a pool of users, and the parameters that stand for them."""


def template(door: Door, name: str) -> str:
    """Write the template."""
    resources: Json = {"Api": _api(door, name), "Link": _link(name), "Stage": _stage(door)}
    for issuer, (address, audiences) in door.authorizers.items():
        resources[_id("Authorizer", issuer)] = _authorizer(issuer, address, audiences)
    for route in door.routes:
        treated = _treated(route)
        resources.setdefault(treated, _integration(door, route))
        resources[_id("Route", route.key)] = _route(route, treated)
    document: Json = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The API of {name}",
        "Parameters": _parameters(door),
        "Resources": resources,
        "Outputs": {"Address": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}},
    }
    return yaml.document(document, head=_HEAD)


def _parameters(door: Door) -> Json:
    found: Json = {
        "Listener": {"Type": "String", "Description": "ARN of the balancer's listener"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Description": "Private subnets"},
        "Group": {"Type": "AWS::EC2::SecurityGroup::Id", "Description": "Group of the private link"},
    }
    said = [value for issuer, audiences in door.authorizers.values() for value in (issuer, *audiences)]
    parts = [part for value in said for part in (value.parts if isinstance(value, Join) else (value,))]
    for part in parts:
        if isinstance(part, Ref):
            found[_POOL[part.attribute]] = {
                "Type": "String",
                "Description": f"The {part.attribute} of the pool of users",
            }
    return found


def _api(door: Door, name: str) -> Json:
    properties: Json = {"Name": name, "ProtocolType": "HTTP"}
    if door.origins:
        properties["CorsConfiguration"] = {
            "AllowOrigins": [*door.origins],
            "AllowMethods": [*door.methods],
            "AllowHeaders": [*door.headers],
            "ExposeHeaders": [*door.exposed],
            "AllowCredentials": door.credentials,
            "MaxAge": door.age,
        }
    return {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties}


def _link(name: str) -> Json:
    properties: Json = {"Name": name, "SubnetIds": {"Ref": "Subnets"}, "SecurityGroupIds": [{"Ref": "Group"}]}
    return {"Type": "AWS::ApiGatewayV2::VpcLink", "Properties": properties}


def _stage(door: Door) -> Json:
    limits: Json = {
        route.key: {"ThrottlingRateLimit": route.limit[0], "ThrottlingBurstLimit": route.limit[1]}
        for route in door.routes
        if route.limit is not None
    }
    properties: Json = {"ApiId": _API, "StageName": "$default", "AutoDeploy": True}
    if limits:
        properties["RouteSettings"] = limits
    needed = {"DependsOn": [_id("Route", key) for key in limits]} if limits else {}
    return {"Type": "AWS::ApiGatewayV2::Stage", **needed, "Properties": properties}


def _authorizer(name: str, issuer: Value, audiences: tuple[Value, ...]) -> Json:
    return {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {
            "ApiId": _API,
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": _value(issuer), "Audience": [_value(one) for one in audiences]},
            "Name": name,
        },
    }


def _integration(door: Door, route: Route) -> Json:
    properties: Json = {
        "ApiId": _API,
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "ANY",
        "IntegrationUri": {"Ref": "Listener"},
        "ConnectionType": "VPC_LINK",
        "ConnectionId": {"Ref": "Link"},
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": math.ceil(route.seconds * 1000),
        "RequestParameters": dict(route.parameters),
    }
    if door.certificate:
        properties["TlsConfig"] = {"ServerNameToVerify": door.host}
    return {"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties}


def _route(route: Route, integration: str) -> Json:
    properties: Json = {
        "ApiId": _API,
        "RouteKey": route.key,
        "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
    }
    if route.authorizer:
        properties |= {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": _id("Authorizer", route.authorizer)}}
    return {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}


def _treated(route: Route) -> str:
    """Name how requests are led on; routes that are treated alike share it."""
    return _id("To", f"{route.service} {sorted(route.parameters.items())} {route.seconds}", shown=route.service)


def _id(kind: str, name: str, *, shown: str = "") -> str:
    """Name a resource: letters and digits, apart from every other."""
    words = "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", shown or name))
    return f"{kind}{words}{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _value(value: Value) -> object:
    if isinstance(value, Ref):
        return {"Ref": _POOL[value.attribute]}
    if isinstance(value, Join):
        return {"Fn::Join": ["", [_value(part) for part in value.parts]]}
    return value
