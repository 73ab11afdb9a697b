"""E-mail on Azure: by SMTP with a secret, or by Communication Services, whose domain is seen by Azure first."""

import re

import msgspec
import pytest

from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Lock, Mail, Right, Secret, Workload
from shoal.deploy.azure.rights import MAIL as ROLE
from shoal.deploy.azure.settings import Environment, read
from shoal.deploy.cloud.values import Ref, join
from shoal.errors import DeclarationError
from tests.deploy.azure.samples import CLUSTER, FAR, LENT, MAIL, POST, PRODUCTION, UNSEEN, artifacts, of_kind, scope_of
from tests.deploy.samples import CAFE, shop

URL = "NOTIFICATIONS__SMTP_URL"
SAID = {
    "NOTIFICATIONS__MAILER": "communication",
    "NOTIFICATIONS__COMMUNICATION_URL": "https://shop.communication.azure.com",
    URL: "",
}


def test_a_server_of_smtp_is_a_secret_that_somebody_fills_in() -> None:
    scope = scope_of(shop())
    assert of_kind(resources(scope), Secret)["notifications/mail-url"].text is None
    (found,) = (one for one in findings([scope]) if one.code == "DEPLOY-AZURE-20")
    assert f'{URL} = ""' in found.help


def test_mail_that_goes_another_way_has_no_secret_and_says_where() -> None:
    scope = scope_of(shop(), msgspec.structs.replace(PRODUCTION, settings={**PRODUCTION.settings, **SAID}))
    made = resources(scope)
    assert "notifications/mail-url" not in of_kind(made, Secret)
    assert SAID.items() <= of_kind(made, Workload)["notifications"].environment.items()
    assert not [one for one in findings([scope]) if one.code in ("DEPLOY-AZURE-20", "DEPLOY-AZURE-14")]


@pytest.mark.parametrize("address", ["smtp://user:secret@mail.example:587", "smtps://user@mail.example"])
def test_an_address_with_a_password_is_no_setting(address: str) -> None:
    scope = scope_of(shop(), msgspec.structs.replace(PRODUCTION, settings={**PRODUCTION.settings, URL: address}))
    assert "notifications/mail-url" in of_kind(resources(scope), Secret)
    (found,) = (one for one in findings([scope]) if one.code == "DEPLOY-AZURE-17")
    assert (found.severity, URL in found.message) == ("error", True)
    assert address not in f"{found.message} {found.help}"


def codes(environment: Environment) -> set[str]:
    return {one.code.removeprefix("DEPLOY-AZURE-") for one in findings([scope_of(shop(), environment)])}


def written(environment: Environment, ending: str) -> str:
    """Return the one file whose path ends so."""
    (found,) = (one.text for one in artifacts(shop(), environment) if one.path.endswith(ending))
    return found


def test_a_service_that_sends_mail_hears_where_and_by_whom_and_of_no_server_of_smtp() -> None:
    made = resources(scope_of(shop(), POST))
    assert "notifications/mail-url" not in of_kind(made, Secret)
    told = of_kind(made, Workload)["notifications"].environment
    assert told["NOTIFICATIONS__COMMUNICATION_URL"] == join("https://", Ref("mail", "main", "host"))
    assert told["NOTIFICATIONS__SENDER"] == "orders@mail.shop.example"
    assert told[URL] == ""
    assert [one.name for one in of_kind(made, Workload).values() if URL in one.environment] == ["notifications"]
    assert not codes(POST) & {"14", "20", "23", "24", "25", "26", "27"}


def test_who_sends_mail_may_ask_communication_services_and_nobody_else_may() -> None:
    rights = of_kind(resources(scope_of(shop(), POST)), Right).values()
    assert [(one.identity, str(one.scope)) for one in rights if one.role == ROLE] == [("notifications", "mail/main:id")]


def test_what_an_environment_says_itself_goes_before_what_mail_tells() -> None:
    mine = msgspec.structs.replace(POST, settings={"NOTIFICATIONS__SENDER": "news@mail.shop.example", URL: ""})
    told = of_kind(resources(scope_of(shop(), mine)), Workload)["notifications"].environment
    assert told["NOTIFICATIONS__SENDER"] == "news@mail.shop.example"
    assert "14" not in codes(mine)


def test_a_domain_is_linked_once_azure_has_seen_its_records() -> None:
    linked, sender = "communication_service_email_domain_association", "domain_sender_username"
    seen, unseen = written(POST, "post/mail.tf"), written(UNSEEN, "unseen/mail.tf")
    assert all(word in seen and word not in unseen for word in (linked, sender))
    assert re.search(r"linkedDomains: \[\s+domain_main.id", written(POST, "bicep/mail.bicep"))
    assert "linkedDomains: []" in written(UNSEEN, "bicep/mail.bicep")
    assert "initiate-verification" in written(UNSEEN, "unseen/README.md")
    assert "initiate-verification" not in written(POST, "post/README.md")
    assert "23" in codes(UNSEEN)


def test_a_domain_of_azures_sends_at_once_as_who_azure_says() -> None:
    text = written(LENT, "lent/mail.tf")
    assert 'name                             = "AzureManagedDomain"' in text
    assert "communication_service_email_domain_association" in text
    told = written(LENT, "lent/service-notifications.tf")
    assert '"DoNotReply@${azurerm_email_communication_service_domain.main.from_sender_domain}"' in told
    assert "24" in codes(LENT)


def test_a_domain_is_not_deleted_by_mistake_where_an_environment_is_protected() -> None:
    assert "mail" in of_kind(resources(scope_of(shop(), POST)), Lock)
    loose = msgspec.structs.replace(POST, protected=False)
    assert "mail" not in of_kind(resources(scope_of(shop(), loose)), Lock)


def test_both_regions_send_by_those_of_the_first() -> None:
    two = msgspec.structs.replace(FAR, mail=MAIL)
    first, second = written(two, "far/mail.tf"), written(two, "far/standby/mail.tf")
    assert "resource" not in second.replace("resource_group_name", "").replace("Resources", "")
    (name,) = re.findall(r'azurerm_communication_service" "main" {\n +name += "([\w-]+)"', first)
    assert f'name                = "{name}"' in second
    assert 'resource_group_name = "shop-far"' in second
    asked = written(two, "far/standby/service-notifications.tf")
    assert "https://${data.azurerm_communication_service.main.hostname}" in asked
    assert re.search(r"scope += data.azurerm_communication_service.main.id", asked)
    assert "27" in codes(msgspec.structs.replace(two, mail=LENT.mail))


def test_mail_that_nobody_sends_is_not_made_and_what_nobody_reads_is_refused() -> None:
    cafe = scope_of(CAFE, POST)
    assert not of_kind(resources(cafe), Mail)
    assert {one.code for one in findings([cafe])} >= {"DEPLOY-AZURE-26"}
    wrong = msgspec.structs.replace(POST, mail=msgspec.structs.replace(MAIL, tells={"SENDER": "sender"}))
    assert "25" in codes(wrong)


def test_in_a_cluster_identities_may_send_and_an_output_says_where() -> None:
    there = msgspec.structs.replace(CLUSTER, mail=MAIL)
    rights = of_kind(resources(scope_of(shop(), there)), Right).values()
    assert [one.identity for one in rights if one.role == ROLE] == ["notifications"]
    assert "https://${azurerm_communication_service.main.hostname}" in written(there, "cluster/outputs.tf")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('data = "Mars"', "Mars"),
        ('data = "Europe"\ndomain = "orders@shop.example"', "is no domain"),
        ('data = "Europe"\ndomain = "shop.example"\nsender = "orders@shop.example"', "before the @"),
        ('data = "Europe"\nverified = true', "write mail.domain"),
        ('domain = "shop.example"', "data"),
    ],
)
def test_what_azure_would_refuse_is_refused_at_once(said: str, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        read(f'name = "post"\n[mail]\n{said}\n', where="targets/post.toml")
