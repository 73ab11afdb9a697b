from datetime import UTC, datetime

import pytest

from shop.notifications.letters import cancelled, confirmed, money
from shop.notifications.mailer import Mail, MailRefused
from shop.notifications.records import Recipient
from shop.notifications.smtp import Server, SmtpMailer, render
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Recipient(user_id="usr_1", name="Ada Lovelace", email="ada@example.com")
CONFIRMED = OrderConfirmed(
    order_id="ord_1",
    number=2,
    customer_id="usr_1",
    lines=(
        OrderLine(sku="KIT-0160", name="Enamel mug, cream", quantity=3, unit_amount=1250),
        OrderLine(sku="STA-0120", name="Fountain pen, fine", quantity=1, unit_amount=4900),
    ),
    total=8650,
    currency="EUR",
    confirmed_at=NOW,
)


def cancellation(reason: str) -> OrderCancelled:
    return OrderCancelled(
        order_id="ord_1", number=2, customer_id="usr_1", reason=reason, total=8650, currency="EUR", cancelled_at=NOW
    )


def test_a_confirmation_says_what_was_bought_for_how_much() -> None:
    mail = confirmed(CONFIRMED, ADA)
    assert mail.subject == "Your order is confirmed"
    for part in ("Hello Ada Lovelace", "3 × Enamel mug, cream: 37.50 EUR", "Total: 86.50 EUR", "ord_1"):
        assert part in mail.text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("payment-declined", "nothing was charged"),
        ("out-of-stock", "given back the full amount"),
        ("some-later-reason", "Nothing is owed"),
    ],
)
def test_a_cancellation_says_what_happens_to_the_money(reason: str, words: str) -> None:
    assert words in cancelled(cancellation(reason), ADA).text


def test_the_same_news_has_the_same_message_id() -> None:
    assert confirmed(CONFIRMED, ADA).message_id == confirmed(CONFIRMED, ADA).message_id
    assert confirmed(CONFIRMED, ADA).message_id != cancelled(cancellation("out-of-stock"), ADA).message_id


@pytest.mark.parametrize(("amount", "text"), [(5, "0.05 EUR"), (1250, "12.50 EUR"), (123_456_789, "1,234,567.89 EUR")])
def test_money_is_written_as_people_read_it(amount: int, text: str) -> None:
    assert money(amount, "EUR") == text


def test_a_mail_is_a_proper_message() -> None:
    message = render(confirmed(CONFIRMED, ADA), "orders@shop.example")
    assert message["Message-ID"] == "<ord_1.confirmed@shop.example>"
    assert message["To"] == "Ada Lovelace <ada@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "86.50 EUR" in message.get_content()


async def test_an_address_that_cannot_be_written_is_refused_for_good() -> None:
    mail = Mail(message_id="<x@shop.example>", name="Ada", email="a..b@example.com", subject="S", text="T")
    with pytest.raises(MailRefused):
        await SmtpMailer(Server(url="smtp://127.0.0.1:1")).send(mail)
