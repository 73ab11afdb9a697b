"""The identity of SES, and the records that prove its domain and sign its letters."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Address
from shoal.deploy.cloud.hcl import output, resource
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_SIGNED = frozenset(
    {
        "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2",
        "eu-south-1", "il-central-1", "me-central-1", "us-gov-east-1",
    }
)  # fmt: skip
"""Regions whose keys lie in a domain of their own (AWS General Reference, "Amazon SES endpoints and quotas")."""

_IDENTITY = "aws_sesv2_email_identity.mail"
_TOKENS = f"{_IDENTITY}.dkim_signing_attributes[0].tokens"


def address(one: Address, context: Context) -> Iterator[Block]:
    """Write the identity of a domain; that of a domain which is verified by hand is named when files are applied."""
    if not one.domain:
        yield from _by_hand(context)
        return
    signed = block("dkim_signing_attributes", next_signing_key_length="RSA_2048_BIT")
    yield resource(
        "aws_sesv2_email_identity", one.name, *items({"email_identity": one.domain}, signed), notes=context.notes(one)
    )
    yield block("locals", mail=Raw(f"{_IDENTITY}.arn"))
    region = context.scope.environment.region
    keys = f"dkim.{region}.amazonses.com" if region in _SIGNED else "dkim.amazonses.com"
    if one.zone:
        token = Raw(f"{_TOKENS}[count.index]")
        record: dict[str, Value] = {
            "count": 3,
            "zone_id": one.zone,
            "name": Text((token, f"._domainkey.{one.domain}")),
            "type": "CNAME",
            "ttl": 1800,
            "records": [Text((token, f".{keys}"))],
        }
        yield resource("aws_route53_record", one.name, *items(record))
        return
    pairs = f'{{ for one in {_TOKENS} : "${{one}}._domainkey.{one.domain}" => "${{one}}.{keys}" }}'
    yield output("mail_records", f"What the DNS has to say of {one.domain}: names and targets (CNAME).", Raw(pairs))


def _by_hand(context: Context) -> Iterator[Block]:
    why = "The domain in whose name mail goes out, verified in Amazon SES."
    yield Block(kind="variable", labels=("mail_domain",), body=items({"type": Raw("string"), "description": why}))
    account, region = Raw("data.aws_caller_identity.own.account_id"), context.scope.environment.region
    arn = Text((f"arn:aws:ses:{region}:", account, ":identity/", Raw("var.mail_domain")))
    yield block("locals", mail=arn)
