"""Who sends mail is a setting; what is missing for it is said at the start, and no secret is shown."""

import pytest

from shoal import ShoalError
from shop.notifications.communication import CommunicationMailer
from shop.notifications.sendgrid import SendGridMailer
from shop.notifications.ses import SesMailer
from shop.notifications.settings import NotificationsSettings, opened
from shop.notifications.smtp import SmtpMailer

SMTP = {"NOTIFICATIONS__SMTP_URL": "smtp://127.0.0.1:9"}
SES = {
    "NOTIFICATIONS__MAILER": "ses", "NOTIFICATIONS__SES_REGION": "eu-central-1",
    "NOTIFICATIONS__SES_ACCESS_KEY": "AK", "NOTIFICATIONS__SES_SECRET_KEY": "hush",
}  # fmt: skip
COMMUNICATION = {
    "NOTIFICATIONS__MAILER": "communication", "NOTIFICATIONS__COMMUNICATION_KEY": "aHVzaA==",
    "NOTIFICATIONS__COMMUNICATION_URL": "https://shop.communication.azure.com",
}  # fmt: skip
SENDGRID = {"NOTIFICATIONS__MAILER": "sendgrid", "NOTIFICATIONS__SENDGRID_KEY": "hush"}


def read(environ: dict[str, str]) -> NotificationsSettings:
    return NotificationsSettings.load("notifications", environ)


@pytest.mark.parametrize(
    ("environ", "kind"),
    [(SMTP, SmtpMailer), (SES, SesMailer), (SENDGRID, SendGridMailer), (COMMUNICATION, CommunicationMailer)],
)
async def test_a_setting_chooses_who_sends_mail(environ: dict[str, str], kind: type) -> None:
    settings = read(environ)
    assert "hush" not in repr(settings)
    assert "aHVzaA==" not in repr(settings)
    async with opened(settings) as mailer:
        assert type(mailer) is kind


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "NOTIFICATIONS__SMTP_URL"),
        ({"NOTIFICATIONS__MAILER": "sendgrid"}, "NOTIFICATIONS__SENDGRID_KEY"),
        ({"NOTIFICATIONS__MAILER": "communication"}, "without their address"),
        (
            {**COMMUNICATION, "NOTIFICATIONS__COMMUNICATION_URL": "http://shop.communication.azure.com"},
            "without their address",
        ),
        ({**COMMUNICATION, "NOTIFICATIONS__COMMUNICATION_KEY": "no base64!"}, "is no base64"),
    ],
)
async def test_what_is_missing_is_named(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(ShoalError, match=missing):
        async with opened(read(environ)):
            pass


def test_nobody_else_sends_mail() -> None:
    with pytest.raises(ShoalError, match="NOTIFICATIONS__MAILER"):
        read({"NOTIFICATIONS__MAILER": "pigeon"})
