"""The mailbox: mails come by SMTP, are counted once and can be read."""

import asyncio
import json
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from shoal.local.engines import Running, mailbox, start
from shoal.local.engines.mailbox import MailboxOptions
from shoal.local.mailbox.page import Page, render
from shoal.local.mailbox.store import Delivery, Store
from shoal.local.ports import free_port
from shoal.local.probe import get

AT = "2026-01-01T00:00:00.000+00:00"


def delivery(message_id: str | None = "<1@shop>", body: str = "Hello.\n", subject: str = "Order 1") -> Delivery:
    message = EmailMessage()
    message["From"], message["Subject"] = "Shop <shop@example.test>", subject
    if message_id:
        message["Message-ID"] = message_id
    message.set_content(body)
    return Delivery(sender="shop@example.test", to=("a@example.test",), content=message.as_bytes(), at=AT)


def send(port: int, parcel: Delivery) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.sendmail(parcel.sender, parcel.to, parcel.content)


@pytest.mark.live
async def test_mails_are_kept_counted_and_shown(place: Path, output: list[str]) -> None:
    options = MailboxOptions(directory=place / "mail", smtp_port=free_port(), http_port=free_port())
    for delivered in (1, 2):
        running: Running = await start(mailbox.recipe(options), on_line=output.append)
        assert running.addresses["smtp"] == f"smtp://127.0.0.1:{options.smtp_port}"
        await asyncio.to_thread(send, options.smtp_port, delivery())
        (mail,) = json.loads((await get(options.http_port, "/messages")).body)
        page = (await get(options.http_port, "/")).body.decode()
        assert await running.process.stop() == 0
        assert (mail["to"], mail["deliveries"]) == (["a@example.test"], delivered)
    received_at = mail.pop("received_at")
    assert mail == {
        "id": 1,
        "message_id": "<1@shop>",
        "from": "Shop <shop@example.test>",
        "to": ["a@example.test"],
        "subject": "Order 1",
        "body": "Hello.",
        "deliveries": 2,
    }
    assert received_at.endswith("+00:00")
    assert "Order 1" in page


def test_a_store_survives_a_line_cut_short(place: Path) -> None:
    file = place / "messages.jsonl"
    Store(file).add(delivery())
    file.write_bytes(file.read_bytes() + b'{"id": 2, "mess')
    Store(file).add(delivery("<2@shop>", "Ünïcode"))
    assert [(mail.id, mail.body) for mail in Store(file).mails()] == [(1, "Hello."), (2, "Ünïcode")]


def test_mails_without_an_id_are_all_kept(place: Path) -> None:
    store = Store(place / "messages.jsonl")
    for _ in range(2):
        store.add(delivery(None))
    assert len(store.mails()) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"Subject: =?x?q?=\r\n\r\n",
        b"Content-Type: text/plain; charset=nowhere\r\n\r\n\xffx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"From: <\r\nMessage-ID: \r\n\r\n",
    ],
)
def test_whatever_comes_is_kept(place: Path, content: bytes) -> None:
    store = Store(place / "messages.jsonl")
    store.add(Delivery(sender="a", to=("b",), content=content, at=AT))
    assert len(Store(place / "messages.jsonl").mails()) == 1


def test_the_page_shows_text_not_markup(place: Path) -> None:
    store = Store(place / "messages.jsonl")
    store.add(delivery(subject="<script>alert(1)</script>", body="<b>&"))
    page = render(store.mails())
    assert "<script" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "No mail yet" in render(())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /health HTTP/1.1\r\nHost: localhost:80", 200),
        ("GET /messages?x=1 HTTP/1.1\r\nhost: 127.0.0.1", 200),
        ("GET /health HTTP/1.1\r\nHost: evil.example:80", 403),
        ("GET /health HTTP/1.1", 403),
        ("POST /messages HTTP/1.1\r\nHost: localhost", 405),
        ("GET /nothing HTTP/1.1\r\nHost: localhost", 404),
        ("nonsense", 400),
    ],
)
def test_requests_are_answered_only_to_this_machine(place: Path, head: str, status: int) -> None:
    assert Page(Store(place / "m")).answer(head).status == status
