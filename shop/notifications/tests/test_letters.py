"""What must stand in each mail, and every mail as people get it (``SHOAL_UPDATE_GOLDEN=1`` writes them anew)."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from shop.notifications.contract import FeedbackDue
from shop.notifications.languages import Language
from shop.notifications.letters import Address, cancelled, confirmed, feedback, money, returned
from shop.notifications.mailer import Mail
from shop.notifications.records import Recipient
from shop.notifications.words import WORDS
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine, OrderReturned

GOLDEN = Path(__file__).parent / "golden"

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Address(recipient=Recipient(user_id="usr_1", name="Ada <Lovelace>", email="ada@example.com"))
LEAVING = msgspec.structs.replace(
    ADA, unsubscribe="https://api.shop.example/u?token=t", page="https://shop.example/unsubscribe?token=t&x"
)
CONFIRMED = OrderConfirmed(
    order_id="ord_1",
    number=2,
    customer_id="usr_1",
    lines=(
        OrderLine(sku="KIT-0160", name="Enamel mug, cream", quantity=3, unit_amount=1250),
        OrderLine(sku="STA-0120", name="Fountain pen <fine> & ink", quantity=1, unit_amount=490_000),
    ),
    total=493_750,
    currency="EUR",
    confirmed_at=NOW,
)
RETURNED = OrderReturned(order_id="ord_1", number=3, customer_id="usr_1", total=8650, currency="EUR", returned_at=NOW)
DUE = FeedbackDue(order_id="ord_1", customer_id="usr_1")


def cancellation(reason: str) -> OrderCancelled:
    return OrderCancelled(
        order_id="ord_1", number=2, customer_id="usr_1", reason=reason, total=8650, currency="EUR", cancelled_at=NOW
    )


def every() -> Iterator[tuple[str, Mail]]:
    """Write each kind in each language."""
    for language in WORDS:
        to, leaving = (msgspec.structs.replace(address, language=language) for address in (ADA, LEAVING))
        yield f"confirmed.{language}", confirmed(CONFIRMED, to)
        yield f"cancelled.{language}", cancelled(cancellation("out-of-stock"), to)
        yield f"returned.{language}", returned(RETURNED, to)
        yield f"feedback.{language}", feedback(DUE, leaving)


@pytest.mark.parametrize(("name", "mail"), [*every()])
def test_every_mail_is_as_one_can_read_it_in_the_folder(name: str, mail: Mail) -> None:
    text, html = GOLDEN / f"{name}.txt", GOLDEN / f"{name}.html"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        text.write_text(f"{mail.subject}\n\n{mail.text}", "utf-8")
        html.write_text(mail.html, "utf-8")
    assert f"{mail.subject}\n\n{mail.text}" == text.read_text("utf-8")
    assert mail.html == html.read_text("utf-8")


def test_every_language_has_words_for_every_mail_and_every_reason() -> None:
    for words in WORDS.values():
        assert words.mails.keys() == WORDS["en"].mails.keys()
        assert words.reasons.keys() == WORDS["en"].reasons.keys()


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


def test_what_people_and_catalogues_are_called_is_text_and_no_html() -> None:
    hostile = Recipient(user_id="usr_1", name='{order_id}<img src=x onerror="x">', email="ada@example.com")
    mail = confirmed(CONFIRMED, msgspec.structs.replace(ADA, recipient=hostile))
    assert "{order_id}&lt;img src=x onerror=&quot;x&quot;&gt;" in mail.html
    assert "<img" not in mail.html
    assert "Fountain pen &lt;fine&gt; &amp; ink" in mail.html
    assert hostile.name in mail.text, "plain text is as it was written, and no template"


def test_the_same_news_has_the_same_message_id_in_every_language() -> None:
    mails = dict(every())
    ids = {name: mail.message_id for name, mail in mails.items()}
    assert ids["confirmed.en"] == ids["confirmed.de"] == "<ord_1.confirmed@shop.example>"
    assert len(set(ids.values())) == 4


def test_only_what_may_be_left_says_how() -> None:
    for name, mail in every():
        leavable = name.startswith("feedback")
        assert bool(mail.unsubscribe) == leavable
        assert ("unsubscribe?token=t" in mail.text) == leavable
        assert ("unsubscribe?token=t&amp;x" in mail.html) == leavable


@pytest.mark.parametrize(
    ("amount", "language", "text"),
    [(5, "en", "0.05 EUR"), (123_456_789, "en", "1,234,567.89 EUR"), (123_456_789, "de", "1.234.567,89 EUR")],
)
def test_money_is_written_as_people_read_it(amount: int, language: Language, text: str) -> None:
    assert money(amount, "EUR", language) == text
