"""What customers are told by e-mail."""

from datetime import datetime

from shoal import (
    Clock,
    Page,
    PageRequest,
    Postgres,
    Principal,
    Secret,
    Service,
    Settings,
    ShoalError,
    Transaction,
)
from shop.notifications.letters import cancelled, confirmed, returned
from shop.notifications.mailer import Mail, Mailer, MailRefused
from shop.notifications.records import Notification, Outcome, Recipient
from shop.notifications.smtp import Server, SmtpMailer
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderReturned
from shop.users.contract import UserSignedUp

PATIENCE = 100
"""Attempts to tell somebody who is not known here yet: their sign-up may come late, when users was away."""


class NotificationsSettings(Settings, frozen=True, kw_only=True):
    """What may be said about the notifications service from outside."""

    smtp_url: str
    """``smtp://host:port`` or ``smtps://host:port``."""
    smtp_username: str = ""
    smtp_password: Secret = Secret("")
    sender: str = "orders@shop.example"


notifications = Service(
    "notifications",
    summary="What customers are told by e-mail.",
    store=Postgres(),
    settings=NotificationsSettings,
    externals=["mail"],
)


@notifications.provide
def mailer(settings: NotificationsSettings) -> Mailer:
    """Send by SMTP."""
    return SmtpMailer(
        Server(
            url=settings.smtp_url,
            username=settings.smtp_username,
            password=settings.smtp_password,
            sender=settings.sender,
        )
    )


@notifications.get("/notifications")
async def list_notifications(page: PageRequest, principal: Principal, tx: Transaction) -> Page[Notification]:
    """List the mails to the caller, newest first."""
    own = {"user_id": principal.subject}
    found = await tx.find(Notification, own, order=("-sent_at",), limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(Notification, own))


@notifications.on(UserSignedUp)
async def remember(event: UserSignedUp, tx: Transaction) -> None:
    """Keep a copy of whom to write to."""
    tx.put(Recipient(user_id=event.user_id, name=event.name, email=event.email))


@notifications.on(OrderConfirmed, attempts=PATIENCE)
async def tell_confirmed(event: OrderConfirmed, tx: Transaction, port: Mailer, clock: Clock) -> None:
    """Tell the customer that the order is confirmed."""
    mail = confirmed(event, await _recipient(event.customer_id, tx))
    outcome = await _send(mail, port)
    tx.put(_note(event, mail, outcome, clock.now()))


@notifications.on(OrderCancelled, attempts=PATIENCE)
async def tell_cancelled(event: OrderCancelled, tx: Transaction, port: Mailer, clock: Clock) -> None:
    """Tell the customer that the order is cancelled."""
    mail = cancelled(event, await _recipient(event.customer_id, tx))
    outcome = await _send(mail, port)
    tx.put(_note(event, mail, outcome, clock.now()))


@notifications.on(OrderReturned, attempts=PATIENCE)
async def tell_returned(event: OrderReturned, tx: Transaction, port: Mailer, clock: Clock) -> None:
    """Tell the customer that the goods came back, and the money goes back."""
    mail = returned(event, await _recipient(event.customer_id, tx))
    outcome = await _send(mail, port)
    tx.put(_note(event, mail, outcome, clock.now()))


async def _recipient(user_id: str, tx: Transaction) -> Recipient:
    found = await tx.get(Recipient, user_id)
    if found is None:
        raise ShoalError(
            f"user {user_id} is not known here yet", hint="it is tried again; accounts are made with POST /users"
        )
    return found


async def _send(mail: Mail, port: Mailer) -> Outcome:
    try:
        await port.send(mail)
    except MailRefused:
        return "REFUSED"  # a fact about the address, not a failure to try again
    return "SENT"


def _note(
    event: OrderConfirmed | OrderCancelled | OrderReturned, mail: Mail, outcome: Outcome, now: datetime
) -> Notification:
    return Notification(
        message_id=mail.message_id,
        user_id=event.customer_id,
        order_id=event.order_id,
        subject=mail.subject,
        outcome=outcome,
        sent_at=now,
    )
