"""E-mail on AWS: an identity of SES, made with the records of its keys, or verified by hand."""

import re

import pytest
from msgspec.structs import replace

from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.network import outside
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Address, Workload
from shoal.deploy.aws.settings import Environment, Mail, Standby, read
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import PRODUCTION, artifacts, of_kind, scope_of
from tests.deploy.samples import CAFE, shop

URL, ZONE = "NOTIFICATIONS__SMTP_URL", "Z0123456789ABC"
POST = replace(PRODUCTION, mail=Mail(domain="shop.example", zone=ZONE))


def written(environment: Environment, name: str = "mail.tf") -> str:
    (found,) = (one.text for one in artifacts(shop(), environment) if one.path.endswith(f"/{name}"))
    return found


def codes(environment: Environment) -> dict[str, str]:
    return {one.code.removeprefix("DEPLOY-AWS-"): one.message for one in findings([scope_of(shop(), environment)])}


def test_an_identity_is_made_and_services_may_send_in_its_name() -> None:
    text = written(POST)
    assert re.search(r'email_identity += "shop.example"', text)
    assert re.search(r"mail += aws_sesv2_email_identity.mail.arn", text)
    assert "mail_domain" not in text
    assert "local.mail" in written(POST, "service-notifications.tf")


def test_records_of_its_keys_are_made_where_the_zone_is_known_and_told_where_not() -> None:
    known, unknown = written(POST), written(replace(PRODUCTION, mail=Mail(domain="shop.example")))
    assert re.search(rf'zone_id += "{ZONE}"', known)
    assert "[count.index]}._domainkey.shop.example" in known
    assert "[count.index]}.dkim.amazonses.com" in known
    assert "mail_records" not in known
    assert "aws_route53_record" not in unknown
    assert 'output "mail_records"' in unknown


@pytest.mark.parametrize(("region", "keys"), [("eu-south-1", "dkim.eu-south-1"), ("us-east-1", "dkim")])
def test_keys_lie_where_amazon_keeps_those_of_a_region(region: str, keys: str) -> None:
    assert f"[count.index]}}.{keys}.amazonses.com" in written(replace(POST, region=region))


def test_no_server_of_smtp_is_asked_and_none_is_missed() -> None:
    made = of_kind(resources(scope_of(shop(), POST)), Workload)
    assert made["notifications"].environment[URL] == ""
    assert [one.name for one in made.values() if URL in one.environment] == ["notifications"]
    assert URL not in codes(POST).get("09", "")
    assert URL in codes(PRODUCTION)["09"] or "PAYMENTS" in codes(PRODUCTION)["09"]
    plan = scope_of(shop(), POST)
    assert 587 not in outside(plan, plan.plan.service("notifications"))
    before = scope_of(shop())
    assert 587 in outside(before, before.plan.service("notifications"))


def test_a_server_that_an_environment_names_is_asked() -> None:
    named = replace(POST, settings={URL: "smtp://relay.example:587"})
    made = of_kind(resources(scope_of(shop(), named)), Workload)
    assert made["notifications"].environment[URL] == "smtp://relay.example:587"
    assert "14" not in codes(named)


def test_each_region_has_an_identity_of_its_own() -> None:
    two = replace(POST, standby=Standby(region="eu-west-1"))
    found = [one.text for one in artifacts(shop(), two) if one.path.endswith("/mail.tf")]
    assert len(found) == 2
    assert all('resource "aws_sesv2_email_identity" "mail"' in text for text in found)


def test_one_that_is_verified_by_hand_is_named_when_files_are_applied() -> None:
    text = written(PRODUCTION)
    assert 'variable "mail_domain"' in text
    assert "aws_sesv2_email_identity" not in text


def test_mail_that_nobody_sends_is_not_made() -> None:
    scope = scope_of(CAFE, POST)
    assert not of_kind(resources(scope), Address)
    assert "DEPLOY-AWS-46" in {one.code for one in findings([scope])}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('domain = "orders@shop.example"', "is no domain"),
        ('domain = "shop.example"\nzone = "shop.example"', "is no zone"),
        (f'zone = "{ZONE}"', "domain"),
    ],
)
def test_what_amazon_would_refuse_is_refused_at_once(said: str, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        read(f'name = "post"\n[mail]\n{said}\n', where="targets/post.toml")
