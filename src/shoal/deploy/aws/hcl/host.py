"""The name under which clients call: its certificate, and the records that lead to one region or the other."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Certificate, Door
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.switches import TAKEN
from shoal.deploy.terraform.values import Block, Noted, Raw, Value, block, items

API = {"api_id": Raw("aws_apigatewayv2_api.main.id")}

_DOMAIN = "aws_apigatewayv2_domain_name.main.domain_name_configuration[0]"


def host(one: Door, context: Context) -> Iterator[Block]:
    """Write the name of an API."""
    shown = block(
        "domain_name_configuration",
        certificate_arn=context.written(one.certificate),
        endpoint_type="REGIONAL",
        security_policy="TLS_1_2",
    )
    yield resource("aws_apigatewayv2_domain_name", "main", *items({"domain_name": one.host}, shown))
    names = {"domain_name": Raw("aws_apigatewayv2_domain_name.main.id"), "stage": Raw("aws_apigatewayv2_stage.main.id")}
    yield resource("aws_apigatewayv2_api_mapping", "main", *items({**API, **names}))
    if one.zone and one.part == "second":
        yield from _chosen(one)
    elif one.zone:
        yield _record(one, "main", first(one.host) if one.part else one.host, _alias(f"{_DOMAIN}.target_domain_name"))


def first(name: str) -> str:
    """Name the record of the first of two regions, to which that of the second leads until it takes over."""
    return f"first.{name}"


def _chosen(one: Door) -> Iterator[Block]:
    """Lead clients to the first region until this one takes over: by a check that only says whether it has."""
    why = "Amazon says: one that is disabled is healthy, and unhealthy where it is inverted. Nothing is asked by it."
    switch: dict[str, Value] = {
        "type": "HTTPS",
        "fqdn": one.host,
        "port": 443,
        "request_interval": 30,
        "failure_threshold": 3,
        "disabled": Noted(value=True, why=why),
        "invert_healthcheck": Raw(TAKEN),
    }
    yield resource("aws_route53_health_check", "first", *items(switch))
    there = block("alias", name=first(one.host), zone_id=one.zone, evaluate_target_health=False)
    known: dict[str, Value] = {"health_check_id": Raw("aws_route53_health_check.first.id")}
    yield _record(one, "first", one.host, there, block("failover_routing_policy", type="PRIMARY"), **known)
    here = _alias(f"{_DOMAIN}.target_domain_name")
    yield _record(one, "second", one.host, here, block("failover_routing_policy", type="SECONDARY"))


def _alias(name: str) -> Block:
    zone = Raw(f"{_DOMAIN}.hosted_zone_id")
    return block("alias", name=Raw(name), zone_id=zone, evaluate_target_health=False)


def _record(one: Door, label: str, name: str, *blocks: Block, **more: Value) -> Block:
    own: dict[str, Value] = {"zone_id": one.zone, "name": name, "type": "A"}
    named: dict[str, Value] = {"set_identifier": label} if label != "main" else {}
    return resource("aws_route53_record", label, *items({**own, **named, **more}, *blocks))


def certificate(one: Certificate, context: Context) -> Iterator[Block]:
    """Write a certificate, and the records that prove it; a new one is there before the old one goes."""
    kept = block("lifecycle", create_before_destroy=True)
    asked: dict[str, Value] = {"domain_name": one.host, "validation_method": "DNS"}
    yield resource("aws_acm_certificate", one.name, *items(asked, kept), notes=context.notes(one))
    proven: dict[str, Value] = {"certificate_arn": Raw(f"aws_acm_certificate.{one.name}.arn")}
    if one.proven:
        why = "The first region's record proves it: it is the same for each certificate of that name in an account."
        yield resource("aws_acm_certificate_validation", one.name, *items(proven), notes=(why,))
        return
    options = f"aws_acm_certificate.{one.name}.domain_validation_options"
    record: dict[str, Value] = {
        "for_each": Raw(f"{{ for one in {options} : one.domain_name => one }}"),
        "zone_id": one.zone,
        "name": Raw("each.value.resource_record_name"),
        "type": Raw("each.value.resource_record_type"),
        "records": [Raw("each.value.resource_record_value")],
        "ttl": 60,
    }
    yield resource("aws_route53_record", "proof", *items(record))
    proven["validation_record_fqdns"] = Raw("[for one in aws_route53_record.proof : one.fqdn]")
    yield resource("aws_acm_certificate_validation", one.name, *items(proven))
