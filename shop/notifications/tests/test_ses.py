"""The adapter for SES: what it asks and how it takes every answer, against a played server.

``tests/local/engines/test_ses.py`` asks an emulator.
"""

import base64
import email
import email.policy
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage

import msgspec
import pytest

from shoal import Secret
from shop.notifications import ses
from shop.notifications.mailer import MailerMisused, MailNotSent, MailRefused
from shop.notifications.tests.played import Played, playing
from shop.notifications.tests.samples import MAIL

ACCEPTED: tuple[int, str, dict[str, str]] = (200, json.dumps({"MessageId": "0102-ses"}), {})


@pytest.fixture
async def amazon() -> AsyncIterator[Played]:
    async with playing() as played:
        played.answer = ACCEPTED
        yield played


@pytest.fixture
async def mailer(amazon: Played) -> AsyncIterator[ses.SesMailer]:
    asked = ses.Ses(
        sender="orders@shop.example", region="eu-central-1", url=amazon.url, access_key="AK", secret_key=Secret("sk")
    )
    async with ses.opened(asked) as mailer:
        yield mailer


async def test_a_mail_is_asked_for_once_and_signed(amazon: Played, mailer: ses.SesMailer) -> None:
    await mailer.send(MAIL)
    (asked,) = amazon.asked
    assert asked.line == "POST /v2/email/outbound-emails HTTP/1.1"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AK/")
    assert "/eu-central-1/ses/" in asked.headers["authorization"]
    said = json.loads(asked.body)
    assert said["FromEmailAddress"] == "orders@shop.example"
    assert said["Destination"] == {"ToAddresses": ["ada@example.com"]}
    assert said["EmailTags"] == [{"Name": "mail", "Value": "ord_1_feedback_shop_example"}]
    raw = base64.b64decode(said["Content"]["Raw"]["Data"])
    assert raw.isascii(), "SES wants seven bits"
    kept = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(kept, EmailMessage)
    assert kept["Message-ID"] == MAIL.message_id
    assert kept["Subject"] == MAIL.subject
    assert kept["List-Unsubscribe"] == f"<{MAIL.unsubscribe}>"
    assert [part.get_content_type() for part in kept.walk()] == ["multipart/alternative", "text/plain", "text/html"]


async def test_an_address_that_cannot_be_written_is_refused_without_asking(
    amazon: Played, mailer: ses.SesMailer
) -> None:
    with pytest.raises(MailRefused):
        await mailer.send(msgspec.structs.replace(MAIL, email="a..b@example.com\r\nBcc: all@example.com"))
    assert not amazon.asked


ANSWERS = (
    (400, "BadRequestException", "Local address contains control or whitespace", MailRefused),
    (400, "MessageRejected", "Transaction failed: virus", MailRefused),
    (400, "MessageRejected", "Email address is not verified. orders@shop.example", MailerMisused),
    (400, "MailFromDomainNotVerifiedException", "", MailerMisused),
    (400, "AccountSuspendedException", "", MailerMisused),
    (400, "SendingPausedException", "", MailerMisused),
    (403, "SignatureDoesNotMatch", "", MailerMisused),
    (404, "NotFoundException", "", MailerMisused),
    (400, "LimitExceededException", "Daily message quota exceeded.", MailNotSent),
    (429, "TooManyRequestsException", "Maximum sending rate exceeded.", MailNotSent),
    (500, "InternalFailure", "", MailNotSent),
    (503, "ServiceUnavailable", "", MailNotSent),
)
"""Status, code and words, and what they mean."""


async def test_each_answer_means_what_the_reference_says(amazon: Played, mailer: ses.SesMailer) -> None:
    for number, (status, code, said, raised) in enumerate(ANSWERS, start=1):
        amazon.answer = (status, json.dumps({"message": said}), {"x-amzn-ErrorType": code})
        with pytest.raises(raised, match=code):
            await mailer.send(MAIL)
        assert len(amazon.asked) == number, "nothing below us repeats it"


async def test_it_waits_as_long_as_it_is_told(amazon: Played, mailer: ses.SesMailer) -> None:
    amazon.answer = (429, "{}", {"x-amzn-ErrorType": "TooManyRequestsException", "Retry-After": "17"})
    with pytest.raises(MailNotSent) as caught:
        await mailer.send(MAIL)
    assert caught.value.after == 17.0


async def test_a_lost_answer_is_not_known_to_have_failed(amazon: Played, mailer: ses.SesMailer) -> None:
    amazon.answer = None
    with pytest.raises(MailNotSent, match="may not have gone out"):
        await mailer.send(MAIL)
    assert len(amazon.asked) == 1


async def test_no_region_is_for_a_person_to_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(MailerMisused, match="NOTIFICATIONS__SES_REGION"):
        async with ses.opened(ses.Ses(sender="a@b.example", access_key="AK", secret_key=Secret("sk"))):
            pass
