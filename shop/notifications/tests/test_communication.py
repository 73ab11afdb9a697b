"""The adapter for Azure Communication Services, against a played server: Azure has none for a laptop."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from shoal import Secret
from shop.notifications.communication import RESOURCE, Communication, CommunicationMailer, opened
from shop.notifications.mailer import MailerMisused, MailNotSent, MailRefused
from shop.notifications.tests.played import Asked, Played, playing
from shop.notifications.tests.samples import MAIL

KEY = b"a key of some length"
LENT: tuple[int, str, dict[str, str]] = (
    200,
    json.dumps({"access_token": "a token", "expires_in": "86000", "token_type": "Bearer"}),
    {},
)


@pytest.fixture
async def azure() -> AsyncIterator[Played]:
    async with playing() as played:
        yield played


@pytest.fixture
async def mailer(azure: Played) -> AsyncIterator[CommunicationMailer]:
    key = Secret(base64.b64encode(KEY).decode())
    async with opened(Communication(sender="orders@shop.example", url=f"{azure.url}/", key=key)) as mailer:
        yield mailer


def believed(asked: Asked) -> bool:
    """Verify a signature as the reference says, from what came over the wire."""
    method, target, _ = asked.line.split(" ")
    content = base64.b64encode(hashlib.sha256(asked.body).digest()).decode()
    text = f"{method}\n{target}\n{asked.headers['x-ms-date']};{asked.headers['host']};{content}"
    signature = base64.b64encode(hmac.digest(KEY, text.encode(), "sha256")).decode()
    scheme = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    return asked.headers["x-ms-content-sha256"] == content and asked.headers["authorization"] == scheme


async def test_a_mail_is_asked_for_as_the_reference_says(azure: Played, mailer: CommunicationMailer) -> None:
    await mailer.send(MAIL)
    (asked,) = azure.asked
    assert asked.line == "POST /emails:send?api-version=2025-09-01 HTTP/1.1"
    assert asked.headers["content-type"] == "application/json"
    assert believed(asked)
    said = json.loads(asked.body)
    assert said["senderAddress"] == "orders@shop.example"
    assert said["recipients"] == {"to": [{"address": "ada@example.com", "displayName": "Ada Lovelace"}]}
    assert said["content"] == {"subject": MAIL.subject, "plainText": MAIL.text, "html": MAIL.html}
    assert said["headers"]["Message-ID"] == MAIL.message_id
    assert said["headers"]["List-Unsubscribe"] == f"<{MAIL.unsubscribe}>"
    assert said["userEngagementTrackingDisabled"] is True


async def test_the_same_mail_is_the_same_operation(azure: Played, mailer: CommunicationMailer) -> None:
    await mailer.send(MAIL)
    await mailer.send(MAIL)
    await mailer.send(msgspec.structs.replace(MAIL, message_id="<another@shop.example>", unsubscribe="", html=""))
    first, second, third = (asked.headers["operation-id"] for asked in azure.asked)
    assert first == second != third
    said = json.loads(azure.asked[2].body)
    assert [*said["content"]] == ["subject", "plainText"]
    assert not [name for name in said["headers"] if name.startswith("List-")]


async def test_an_app_is_who_azure_says_it_is_and_asks_once(azure: Played) -> None:
    environ = {
        "IDENTITY_ENDPOINT": f"{azure.url}/msi/token", "IDENTITY_HEADER": "a header", "AZURE_CLIENT_ID": "client",
    }  # fmt: skip
    azure.answer = LENT
    async with opened(Communication(sender="orders@shop.example", url=azure.url), environ) as mailer:
        await mailer.send(MAIL)
        await mailer.send(MAIL)
    lent, *sent = azure.asked
    asked = urlsplit(lent.line.split(" ")[1])
    assert asked.path == "/msi/token"
    assert parse_qs(asked.query) == {"api-version": ["2019-08-01"], "resource": [RESOURCE], "client_id": ["client"]}
    assert lent.headers["x-identity-header"] == "a header"
    assert [one.headers["authorization"] for one in sent] == ["Bearer a token"] * 2


async def test_a_workload_of_a_cluster_shows_the_token_of_its_file(azure: Played, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of the cluster\n", "utf-8")
    environ = {
        "AZURE_FEDERATED_TOKEN_FILE": str(file), "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client",
        "AZURE_AUTHORITY_HOST": azure.url,
    }  # fmt: skip
    azure.answer = LENT
    async with opened(Communication(sender="orders@shop.example", url=azure.url), environ) as mailer:
        await mailer.send(MAIL)
    lent, sent = azure.asked
    assert lent.line == "POST /tenant/oauth2/v2.0/token HTTP/1.1"
    form = parse_qs(lent.body.decode())
    assert form["scope"] == [f"{RESOURCE}/.default"]
    assert form["client_assertion"] == ["of the cluster"]
    assert sent.headers["authorization"] == "Bearer a token"


async def test_a_token_that_is_refused_is_asked_for_anew(azure: Played) -> None:
    environ = {"IDENTITY_ENDPOINT": f"{azure.url}/msi/token", "IDENTITY_HEADER": "a header"}
    azure.answer = LENT
    async with opened(Communication(sender="orders@shop.example", url=azure.url), environ) as mailer:
        await mailer.send(MAIL)
        azure.answer = (401, "{}", {})
        with pytest.raises(MailerMisused, match="401"):
            await mailer.send(MAIL)
        azure.answer = LENT
        await mailer.send(MAIL)
    assert [asked.line.split(" ")[0] for asked in azure.asked] == ["GET", "POST", "POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("answer", "kind"), [((400, "no identity", {}), MailerMisused), ((503, "", {}), MailNotSent), (None, MailNotSent)]
)
async def test_without_a_token_nothing_is_sent(
    azure: Played, answer: tuple[int, str, dict[str, str]] | None, kind: type[Exception]
) -> None:
    environ = {"IDENTITY_ENDPOINT": f"{azure.url}/msi/token", "IDENTITY_HEADER": "a header"}
    azure.answer = answer
    async with opened(Communication(sender="orders@shop.example", url=azure.url), environ) as mailer:
        with pytest.raises(kind):
            await mailer.send(MAIL)
    assert not [asked for asked in azure.asked if not asked.line.startswith("GET /msi/token?")]


async def test_who_is_nobody_in_azure_is_told_what_to_do(azure: Played) -> None:
    async with opened(Communication(sender="orders@shop.example", url=azure.url), {}) as mailer:
        with pytest.raises(MailerMisused) as caught:
            await mailer.send(MAIL)
    assert "NOTIFICATIONS__COMMUNICATION_KEY" in caught.value.hint
    assert not azure.asked


@pytest.mark.parametrize("code", ["InvalidEmailAddress", "BadRequest", ""])
async def test_what_is_wrong_with_a_mail_is_refused_for_good_and_names_nobody(
    azure: Played, mailer: CommunicationMailer, code: str
) -> None:
    azure.answer = (400, json.dumps({"error": {"code": code, "message": "ada@example.com is no address"}}), {})
    with pytest.raises(MailRefused, match=r"\*\*\* is no address"):
        await mailer.send(MAIL)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "InvalidSenderUserName"), (404, "DomainNotLinked"), (401, "Denied"), (403, ""), (302, "")],
)
async def test_what_a_person_must_solve_is_neither_refused_nor_an_outage(
    azure: Played, mailer: CommunicationMailer, status: int, code: str
) -> None:
    azure.answer = (status, json.dumps({"error": {"code": code}}), {"Location": f"{azure.url}/elsewhere"})
    with pytest.raises(MailerMisused) as caught:
        await mailer.send(MAIL)
    assert "NOTIFICATIONS__COMMUNICATION_URL" in caught.value.hint
    assert len(azure.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_failed_there_is_tried_again_when_they_say(
    azure: Played, mailer: CommunicationMailer, status: int
) -> None:
    azure.answer = (status, "", {"Retry-After": "17"})
    with pytest.raises(MailNotSent) as caught:
        await mailer.send(MAIL)
    assert caught.value.after == 17.0


async def test_a_lost_answer_is_not_known_to_have_failed(azure: Played, mailer: CommunicationMailer) -> None:
    azure.answer = None
    with pytest.raises(MailNotSent, match="may not have gone out"):
        await mailer.send(MAIL)
    assert len(azure.asked) == 1, "nothing below us repeats it"
