"""The words, pure: from an event to the mail about it."""

from shop.notifications.mailer import Mail
from shop.notifications.records import Recipient
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine, OrderReturned

_CONFIRMED = """\
Hello {name},

thank you for your order. It is paid for, and everything lies ready:

{lines}

  Total: {total}

We will write again when the parcel is on its way. Your order's number is {order_id}.

The shop
"""

_CANCELLED = """\
Hello {name},

we are sorry: we had to cancel your order {order_id} over {total}.

{reason}

The shop
"""

_RETURNED = """\
Hello {name},

the goods of your order {order_id} are back with us. We have given back {total}; depending on your bank it shows
on your account within a few days.

The shop
"""

_REASONS = {
    "payment-declined": (
        "Your bank declined the payment, so nothing was charged. You are welcome to order again, "
        "with the same card or another."
    ),
    "out-of-stock": (
        "Something in it had just sold out. We have given back the full amount; depending on your "
        "bank it shows on your account within a few days."
    ),
}
_NO_REASON = "Nothing is owed for it. If you have questions, just reply to this mail."


def confirmed(event: OrderConfirmed, recipient: Recipient) -> Mail:
    """Tell that an order is confirmed."""
    text = _CONFIRMED.format(
        name=recipient.name,
        lines="\n".join(_line(line, event.currency) for line in event.lines),
        total=money(event.total, event.currency),
        order_id=event.order_id,
    )
    return _mail(event.order_id, "confirmed", recipient, text)


def cancelled(event: OrderCancelled, recipient: Recipient) -> Mail:
    """Tell that an order is cancelled, and what that means for the money."""
    text = _CANCELLED.format(
        name=recipient.name,
        reason=_REASONS.get(event.reason, _NO_REASON),
        total=money(event.total, event.currency),
        order_id=event.order_id,
    )
    return _mail(event.order_id, "cancelled", recipient, text)


def returned(event: OrderReturned, recipient: Recipient) -> Mail:
    """Tell that the goods came back and the money is on its way."""
    text = _RETURNED.format(name=recipient.name, order_id=event.order_id, total=money(event.total, event.currency))
    return _mail(event.order_id, "returned", recipient, text)


def money(amount: int, currency: str) -> str:
    """Write cents as people read them."""
    return f"{amount // 100:,}.{amount % 100:02} {currency}"


def _line(line: OrderLine, currency: str) -> str:
    return f"  {line.quantity} × {line.name}: {money(line.quantity * line.unit_amount, currency)}"


def _mail(order_id: str, news: str, recipient: Recipient, text: str) -> Mail:
    return Mail(
        message_id=f"<{order_id}.{news}@shop.example>",
        name=recipient.name,
        email=recipient.email,
        subject=f"Your order is {news}",
        text=text,
    )
