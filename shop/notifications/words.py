"""What the shop says, in each language; names in braces are filled in by `letters`."""

from collections.abc import Mapping

import msgspec

from shop.notifications.languages import Language
from shop.notifications.preferences import Kind


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """One mail in one language."""

    subject: str
    text: str
    """Paragraphs, an empty line apart; one that is ``{lines}`` becomes the list of what was ordered."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in one language."""

    hello: str
    bye: str
    total: str
    thousands: str
    decimal: str
    mails: Mapping[Kind, Wording]
    reasons: Mapping[str, str]
    """Why an order is cancelled; the empty one for every other reason."""
    leave: str
    """How to get no more of this kind."""


EN = Words(
    hello="Hello {name},",
    bye="The shop",
    total="Total",
    thousands=",",
    decimal=".",
    mails={
        "confirmed": Wording(
            subject="Your order is confirmed",
            text="""
                thank you for your order. It is paid for, and everything lies ready:

                {lines}

                We will write again when the parcel is on its way. Your order's number is {order_id}.
            """,
        ),
        "cancelled": Wording(
            subject="Your order is cancelled",
            text="""
                we are sorry: we had to cancel your order {order_id} over {total}.

                {reason}
            """,
        ),
        "returned": Wording(
            subject="Your order is returned",
            text="""
                the goods of your order {order_id} are back with us. We have given back {total}; depending on your bank
                it shows on your account within a few days.
            """,
        ),
        "feedback": Wording(
            subject="How was it?",
            text="""
                you have just ordered with us ({order_id}). What went well, and what did not? Just reply to this mail:
                somebody reads it.
            """,
        ),
    },
    reasons={
        "payment-declined": "Your bank declined the payment, so nothing was charged. You are welcome to order again, "
        "with the same card or another.",
        "out-of-stock": "Something in it had just sold out. We have given back the full amount; depending on your "
        "bank it shows on your account within a few days.",
        "": "Nothing is owed for it. If you have questions, just reply to this mail.",
    },
    leave="You get this mail because you asked for mails of this kind. Want no more of them?",
)

DE = Words(
    hello="Guten Tag {name},",
    bye="Ihr Shop",
    total="Summe",
    thousands=".",
    decimal=",",
    mails={
        "confirmed": Wording(
            subject="Ihre Bestellung ist bestätigt",
            text="""
                vielen Dank für Ihre Bestellung. Sie ist bezahlt, und alles liegt bereit:

                {lines}

                Wir schreiben wieder, wenn das Paket unterwegs ist. Ihre Bestellung hat die Nummer {order_id}.
            """,
        ),
        "cancelled": Wording(
            subject="Ihre Bestellung ist storniert",
            text="""
                es tut uns leid: Wir mussten Ihre Bestellung {order_id} über {total} stornieren.

                {reason}
            """,
        ),
        "returned": Wording(
            subject="Ihre Rücksendung ist angekommen",
            text="""
                die Ware Ihrer Bestellung {order_id} ist wieder bei uns. Wir haben {total} erstattet; je nach Bank sehen
                Sie das Geld in einigen Tagen auf Ihrem Konto.
            """,
        ),
        "feedback": Wording(
            subject="Wie war es?",
            text="""
                Sie haben gerade bei uns bestellt ({order_id}). Was war gut, was nicht? Antworten Sie einfach auf diese
                Mail: Jemand liest sie.
            """,
        ),
    },
    reasons={
        "payment-declined": "Ihre Bank hat die Zahlung abgelehnt, es wurde also nichts abgebucht. Bestellen Sie gern "
        "noch einmal, mit derselben Karte oder einer anderen.",
        "out-of-stock": "Etwas daraus war gerade ausverkauft. Wir haben den ganzen Betrag erstattet; je nach Bank "
        "sehen Sie das Geld in einigen Tagen auf Ihrem Konto.",
        "": "Es ist nichts dafür zu zahlen. Wenn Sie Fragen haben, antworten Sie einfach auf diese Mail.",
    },
    leave="Sie bekommen diese Mail, weil Sie solche Mails bestellt haben. Keine mehr?",
)

WORDS: Mapping[Language, Words] = {"en": EN, "de": DE}
