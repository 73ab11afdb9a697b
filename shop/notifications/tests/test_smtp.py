"""The adapter over a real socket."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from shop.notifications.mailer import Mail, MailNotSent, MailRefused
from shop.notifications.smtp import Server, SmtpMailer

smtp = pytest.importorskip("aiosmtpd.smtp", reason="needs the `local` extra")

MAIL = Mail(
    message_id="<ord_1.confirmed@shop.example>",
    name="Ada Lovelace",
    email="ada@example.com",
    subject="Your order is confirmed",
    text="Grüße\n\n  1 × Enamel mug: 12.50 EUR\n",
    html="<p>Grüße &amp; mehr</p>\n",
    language="de",
    unsubscribe="https://api.shop.example/notifications/unsubscribe?token=" + 120 * "x",
)


class Sink:
    """A mail server that keeps what it gets and refuses whom it is told to."""

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.verdict = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - likewise
        self.kept.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.verdict


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
async def mailer(sink: Sink) -> AsyncIterator[SmtpMailer]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: smtp.SMTP(sink, hostname="sink.example", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    yield SmtpMailer(Server(url=f"smtp://127.0.0.1:{port}"))
    server.close()
    await server.wait_closed()


async def test_a_mail_arrives_as_it_was_written(sink: Sink, mailer: SmtpMailer) -> None:
    await mailer.send(MAIL)
    (kept,) = sink.kept
    assert kept["Message-ID"] == MAIL.message_id
    assert kept["From"] == "Shop <orders@shop.example>"
    assert kept["To"] == "Ada Lovelace <ada@example.com>"
    assert kept["Subject"] == MAIL.subject
    assert kept["List-Unsubscribe"] == f"<{MAIL.unsubscribe}>", "in one piece, however long"
    assert kept["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert kept["Content-Language"] == "de"
    for kind, text in (("plain", MAIL.text), ("html", MAIL.html)):
        part = kept.get_body((kind,))
        assert part is not None
        assert part.get_content().replace("\r\n", "\n") == text


async def test_a_mail_that_must_be_sent_offers_no_way_to_leave(sink: Sink, mailer: SmtpMailer) -> None:
    await mailer.send(msgspec.structs.replace(MAIL, unsubscribe=""))
    assert "List-Unsubscribe" not in sink.kept[0]
    assert "List-Unsubscribe-Post" not in sink.kept[0]


async def test_what_a_server_says_is_told_without_whom_the_mail_is_to(sink: Sink, mailer: SmtpMailer) -> None:
    sink.refuse[MAIL.email] = f"451 4.7.1 {MAIL.email} is greylisted"
    with pytest.raises(MailNotSent, match="greylisted") as caught:
        await mailer.send(MAIL)
    assert MAIL.email not in str(caught.value)


async def test_an_address_that_takes_no_mail_is_refused_for_good(sink: Sink, mailer: SmtpMailer) -> None:
    sink.refuse[MAIL.email] = "550 5.1.1 no such mailbox"
    with pytest.raises(MailRefused):
        await mailer.send(MAIL)


@pytest.mark.parametrize("address", ['?@>."', '.b@[\x7f."', "a@b.c("])
async def test_an_address_that_cannot_be_written_is_refused_for_good(mailer: SmtpMailer, address: str) -> None:
    with pytest.raises(MailRefused):
        await mailer.send(msgspec.structs.replace(MAIL, email=address))


async def test_a_mail_that_the_server_rejects_is_refused_for_good(sink: Sink, mailer: SmtpMailer) -> None:
    sink.verdict = "554 5.6.0 not with this text"
    with pytest.raises(MailRefused):
        await mailer.send(MAIL)


async def test_an_address_that_takes_no_mail_now_is_tried_again(sink: Sink, mailer: SmtpMailer) -> None:
    sink.refuse[MAIL.email] = "450 4.2.0 come back later"
    with pytest.raises(MailNotSent):
        await mailer.send(MAIL)


async def test_a_server_that_is_away_is_tried_again() -> None:
    with pytest.raises(MailNotSent, match="ord_1"):
        await SmtpMailer(Server(url="smtp://127.0.0.1:9")).send(MAIL)
