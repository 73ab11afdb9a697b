"""The adapter for SendGrid, against a played server: SendGrid has none for a laptop."""

import json
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from shoal import Secret
from shop.notifications.mailer import MailerMisused, MailNotSent, MailRefused
from shop.notifications.sendgrid import SendGrid, SendGridMailer, opened
from shop.notifications.tests.played import Played, playing
from shop.notifications.tests.samples import MAIL


@pytest.fixture
async def sendgrid() -> AsyncIterator[Played]:
    async with playing() as played:
        yield played


@pytest.fixture
async def mailer(sendgrid: Played) -> AsyncIterator[SendGridMailer]:
    asked = SendGrid(sender="orders@shop.example", key=Secret("SG.secret"), url=sendgrid.url)
    async with opened(asked) as mailer:
        yield mailer


async def test_a_mail_is_asked_for_as_the_reference_says(sendgrid: Played, mailer: SendGridMailer) -> None:
    await mailer.send(MAIL)
    (asked,) = sendgrid.asked
    assert asked.line == "POST /v3/mail/send HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer SG.secret"
    said = json.loads(asked.body)
    assert said["personalizations"] == [{"to": [{"email": "ada@example.com", "name": "Ada Lovelace"}]}]
    assert said["from"] == {"email": "orders@shop.example", "name": "Shop"}
    assert said["content"] == [
        {"type": "text/plain", "value": MAIL.text},
        {"type": "text/html", "value": MAIL.html},
    ]
    assert said["headers"]["Message-ID"] == said["custom_args"]["message_id"] == MAIL.message_id
    assert said["headers"]["List-Unsubscribe"] == f"<{MAIL.unsubscribe}>"
    assert said["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_a_mail_without_a_way_to_leave_has_no_headers_for_it(sendgrid: Played, mailer: SendGridMailer) -> None:
    await mailer.send(msgspec.structs.replace(MAIL, unsubscribe="", html=""))
    said = json.loads(sendgrid.asked[0].body)
    assert not [name for name in said["headers"] if name.startswith("List-")]
    assert [part["type"] for part in said["content"]] == ["text/plain"]


@pytest.mark.parametrize("status", [400, 413])
async def test_what_is_wrong_with_a_mail_is_refused_for_good(
    sendgrid: Played, mailer: SendGridMailer, status: int
) -> None:
    said = {"errors": [{"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}]}
    sendgrid.answer = (status, json.dumps(said), {})
    with pytest.raises(MailRefused, match="valid address"):
        await mailer.send(MAIL)


@pytest.mark.parametrize("status", [401, 403, 404, 302])
async def test_what_a_person_must_solve_is_neither_refused_nor_an_outage(
    sendgrid: Played, mailer: SendGridMailer, status: int
) -> None:
    sendgrid.answer = (status, "{}", {"Location": f"{sendgrid.url}/elsewhere"})
    with pytest.raises(MailerMisused, match="NOTIFICATIONS__SENDGRID_KEY"):
        await mailer.send(MAIL)
    assert len(sendgrid.asked) == 1, "and the key is shown to nobody else"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_failed_there_is_tried_again_when_they_say(
    sendgrid: Played, mailer: SendGridMailer, status: int
) -> None:
    sendgrid.answer = (status, "", {"Retry-After": "17"})
    with pytest.raises(MailNotSent) as caught:
        await mailer.send(MAIL)
    assert caught.value.after == 17.0


async def test_the_end_of_their_period_is_waited_for(sendgrid: Played, mailer: SendGridMailer) -> None:
    sendgrid.answer = (429, "", {"X-RateLimit-Reset": str(int(time.time()) + 1000)})
    with pytest.raises(MailNotSent) as caught:
        await mailer.send(MAIL)
    assert 0 < caught.value.after <= 1000


async def test_a_lost_answer_is_not_known_to_have_failed(sendgrid: Played, mailer: SendGridMailer) -> None:
    sendgrid.answer = None
    with pytest.raises(MailNotSent, match="may not have gone out"):
        await mailer.send(MAIL)
    assert len(sendgrid.asked) == 1, "nothing below us repeats it"


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with opened(SendGrid(sender="a@b.example", key=Secret("k"), url="http://127.0.0.1:9")) as mailer:
        with pytest.raises(MailNotSent):
            await mailer.send(MAIL)
