"""From an event to the mail about it: text and HTML of the same paragraphs, in the recipient's language. Pure."""

from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from shop.notifications.contract import FeedbackDue
from shop.notifications.languages import Language
from shop.notifications.mailer import Mail
from shop.notifications.preferences import Kind
from shop.notifications.records import Recipient
from shop.notifications.words import WORDS, Words
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine, OrderReturned

_HTML = """\
<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font: 16px/1.5 sans-serif; max-width: 40rem; margin: 1rem auto">
{body}
</body>
</html>
"""

Table = tuple[tuple[str, str], ...]
"""What, and for how much."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a mail goes, in which language, and how they get no more of its kind."""

    recipient: Recipient
    language: Language = "en"
    unsubscribe: str = ""
    """Where programs post to."""
    page: str = ""
    """Where people look."""


def confirmed(event: OrderConfirmed, to: Address) -> Mail:
    """Tell that an order is confirmed."""
    words = WORDS[to.language]
    table = (
        *((f"{line.quantity} × {line.name}", _cost(line, event.currency, to.language)) for line in event.lines),
        (words.total, money(event.total, event.currency, to.language)),
    )
    return _mail("confirmed", event.order_id, to, {}, table)


def cancelled(event: OrderCancelled, to: Address) -> Mail:
    """Tell that an order is cancelled, and what that means for the money."""
    reasons = WORDS[to.language].reasons
    reason = reasons.get(event.reason, reasons[""])
    return _mail(
        "cancelled", event.order_id, to, {"reason": reason, "total": money(event.total, event.currency, to.language)}
    )


def returned(event: OrderReturned, to: Address) -> Mail:
    """Tell that the goods came back and the money is on its way."""
    return _mail("returned", event.order_id, to, {"total": money(event.total, event.currency, to.language)})


def feedback(event: FeedbackDue, to: Address) -> Mail:
    """Ask how it was."""
    return _mail("feedback", event.order_id, to, {})


def money(amount: int, currency: str, language: Language = "en") -> str:
    """Write cents as people read them."""
    words = WORDS[language]
    return f"{amount // 100:,}".replace(",", words.thousands) + f"{words.decimal}{amount % 100:02} {currency}"


def _cost(line: OrderLine, currency: str, language: Language) -> str:
    return money(line.quantity * line.unit_amount, currency, language)


def _mail(kind: Kind, order_id: str, to: Address, values: Mapping[str, str], table: Table = ()) -> Mail:
    words, recipient = WORDS[to.language], to.recipient
    wording, known = words.mails[kind], {**values, "order_id": order_id, "name": recipient.name}
    said = [words.hello, *(" ".join(part.split()) for part in wording.text.strip().split("\n\n")), words.bye]
    parts = [table if part == "{lines}" else part.format_map(known) for part in said]
    return Mail(
        message_id=f"<{order_id}.{kind}@shop.example>",
        name=recipient.name,
        email=recipient.email,
        subject=wording.subject,
        text=_text(parts, words, to.page),
        html=_html(parts, wording.subject, words, to),
        language=to.language,
        unsubscribe=to.unsubscribe,
    )


def _text(parts: Sequence[str | Table], words: Words, page: str) -> str:
    written = [
        part if isinstance(part, str) else "\n".join(f"  {what}: {cost}" for what, cost in part) for part in parts
    ]
    foot = [f"--\n{words.leave}\n{page}"] if page else []
    return "\n\n".join([*written, *foot]) + "\n"


def _html(parts: Sequence[str | Table], subject: str, words: Words, to: Address) -> str:
    written = [f"<p>{escape(part)}</p>" if isinstance(part, str) else _rows(part) for part in parts]
    if to.page:
        link = f'<a href="{escape(to.page)}">{escape(to.page)}</a>'
        written.append(f"<hr>\n<p><small>{escape(words.leave)}<br>{link}</small></p>")
    return _HTML.format(language=to.language, subject=escape(subject), body="\n".join(written))


def _rows(table: Table) -> str:
    rows = (f'<tr><td>{escape(what)}</td><td align="right">{escape(cost)}</td></tr>' for what, cost in table)
    return "<table cellpadding=4>\n" + "\n".join(rows) + "\n</table>"
