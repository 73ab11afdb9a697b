"""A web ACL (WAF) as a CloudFormation template, for whoever wants one before the balancer. Pure.

It is a stack of its own, since several systems may share one; its ARN goes into the environment's ``web_acl``.
"""

from shoal.deploy import yaml
from shoal.deploy.aws.edge import CLIENT
from shoal.deploy.aws.scope import Scope
from shoal.deploy.yaml import Json, Noted

RATE = 2000
"""Requests of one address within five minutes."""

_WORD = "Behind the API only this header tells callers apart. The API writes it, over whatever they said."
_MANAGED = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")
_HEAD = "Written by `shoal deploy aws`; changes are lost. aws cloudformation deploy --template-file firewall.yaml ..."


def template(scope: Scope) -> str:
    """Write the template."""
    name = scope.named("firewall")
    rules = [_managed(group, number) for number, group in enumerate(_MANAGED, 1)]
    acl: Json = {
        "Type": "AWS::WAFv2::WebACL",
        "Properties": {
            "Name": name,
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": _seen(name),
            "Rules": [_rate(), *rules],
        },
    }
    document: Json = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Firewall of {scope.system} in {scope.environment.name}",
        "Resources": {"Firewall": acl},
        "Outputs": {
            "Arn": {"Description": "For web_acl of the environment", "Value": {"Fn::GetAtt": ["Firewall", "Arn"]}}
        },
    }
    return yaml.document(document, head=(_HEAD,))


def _rate() -> Json:
    address: Json = {"HeaderName": CLIENT, "FallbackBehavior": "MATCH"}
    statement: Json = {"Limit": RATE, "AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": address}
    return {
        "Name": "each-address",
        "Priority": 0,
        "Statement": {"RateBasedStatement": Noted(statement, _WORD)},
        "Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}},
        "VisibilityConfig": _seen("each-address"),
    }


def _managed(group: str, number: int) -> Json:
    statement: Json = {"VendorName": "AWS", "Name": group}
    if group == _MANAGED[0]:
        counted: Json = {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}
        why = "It blocks bodies of more than 8 KB, as uploads are; the services bound bodies themselves."
        statement["RuleActionOverrides"] = Noted([counted], why)
    return {
        "Name": group,
        "Priority": number,
        "Statement": {"ManagedRuleGroupStatement": statement},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": _seen(group),
    }


def _seen(name: str) -> Json:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
