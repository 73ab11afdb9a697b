"""A mail for the adapters."""

from shop.notifications.mailer import Mail

MAIL = Mail(
    message_id="<ord_1.feedback@shop.example>",
    name="Ada Lovelace",
    email="ada@example.com",
    subject="Wie war es? äöü",
    text="Grüße\n\n  1 × Enamel mug: 12.50 EUR\n",
    html="<p>Grüße &amp; mehr</p>\n",
    language="de",
    unsubscribe="https://api.shop.example/notifications/unsubscribe?token=" + 120 * "x",
)
