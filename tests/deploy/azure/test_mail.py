"""E-mail on Azure: by SMTP with a secret, unless the environment says that it goes another way."""

import msgspec
import pytest

from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Secret, Workload
from tests.deploy.azure.samples import PRODUCTION, of_kind, scope_of
from tests.deploy.samples import shop

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
