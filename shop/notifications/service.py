"""What customers are told by e-mail."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from shoal import (
    Clock,
    Objective,
    Page,
    PageRequest,
    Postgres,
    Principal,
    Problem,
    RateLimit,
    Service,
    ShoalError,
    Trace,
    Transaction,
    anyone,
)
from shop.notifications.contract import FeedbackDue, MailWasRefused
from shop.notifications.letters import Address, cancelled, confirmed, feedback, returned
from shop.notifications.mailer import Mail, Mailer, MailRefused
from shop.notifications.preferences import Kind, Preferences, chosen, owed, shown
from shop.notifications.records import Chosen, Notification, Recipient
from shop.notifications.settings import NotificationsSettings, opened
from shop.notifications.traced import TracedMailer
from shop.notifications.unsubscribing import PATH, Links
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderReturned
from shop.users.contract import UserErased, UserSignedUp

PATIENCE = 100
"""Attempts to tell somebody who is not known here yet: their sign-up may come late, when users was away."""

notifications = Service(
    "notifications",
    summary="What customers are told by e-mail.",
    store=Postgres(why="who was told what, in the transaction that hears of it"),
    publishes=[MailWasRefused, FeedbackDue],
    settings=NotificationsSettings,
    externals=["mail"],
    objectives=[Objective(availability=0.995)],
)


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is no longer sent."""

    kind: Kind


@notifications.provide
async def mailer(settings: NotificationsSettings, trace: Trace) -> AsyncIterator[Mailer]:
    """Send by whom the settings name."""
    async with opened(settings) as port:
        yield TracedMailer(port, trace)


@notifications.provide
def links(settings: NotificationsSettings) -> Links:
    """Sign with the key of the settings."""
    keys = (settings.unsubscribe_key, settings.unsubscribe_key_before)
    return Links(settings.public_url, settings.site_url, keys)


@notifications.get("/notifications")
async def list_notifications(page: PageRequest, principal: Principal, tx: Transaction) -> Page[Notification]:
    """List the mails to the caller, newest first."""
    own = {"user_id": principal.subject}
    found = await tx.find(Notification, own, order=("-sent_at",), limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(Notification, own))


@notifications.get("/notifications/preferences")
async def show_preferences(principal: Principal, tx: Transaction) -> Preferences:
    """Show what the caller is told, and in which language."""
    said = await _said(principal.subject, tx)
    return shown(said.language, said.kinds)


@notifications.put("/notifications/preferences")
async def set_preferences(body: Preferences, principal: Principal, tx: Transaction) -> Preferences:
    """Choose a language and kinds of mails; kinds that nobody names are as they are for everyone."""
    if kept := owed(body):
        raise Problem(409, "mail-required", f"these mails are a part of every order: {', '.join(kept)}")
    said = Chosen(user_id=principal.subject, language=body.language, kinds=chosen(body))
    tx.put(said)
    return shown(said.language, said.kinds)


@notifications.post(PATH, access=anyone, limit=RateLimit(requests=60, per=60, by="address"))
async def unsubscribe(token: str, links: Links, tx: Transaction) -> Left:
    """Turn one kind of mail off for whom a link was made. Mail programs post here by themselves (RFC 8058)."""
    leaving = links.read(token)
    if leaving is None:
        raise Problem(403, "bad-token", "this link was not made here, or was cut")
    said = await tx.get(Chosen, leaving.user_id, lock=True)
    if said is not None:
        kinds = tuple(kind for kind in said.kinds if kind != leaving.kind)
        tx.put(msgspec.structs.replace(said, kinds=kinds))
    return Left(kind=leaving.kind)


@notifications.on(UserSignedUp, leads_to=[])
async def remember(event: UserSignedUp, tx: Transaction) -> None:
    """Keep a copy of whom to write to."""
    tx.put(Recipient(user_id=event.user_id, name=event.name, email=event.email))


@notifications.on(UserErased, leads_to=[])
async def forget(event: UserErased, tx: Transaction) -> None:
    """Forget whom to write to. That there was somebody stays known, for the orders that end later."""
    tx.put(Recipient(user_id=event.user_id, name="", email=""))
    tx.delete(Chosen, event.user_id)
    await tx.forget(event.user_id)


@notifications.on(OrderConfirmed, attempts=PATIENCE, leads_to=[FeedbackDue, MailWasRefused])
async def tell_confirmed(event: OrderConfirmed, tx: Transaction, port: Mailer, links: Links, clock: Clock) -> None:
    """Tell the customer that the order is confirmed, and have those asked how it was who want to be."""
    await _tell(
        confirmed(event, await _address(event.customer_id, "confirmed", tx, links)), event, tx, port, clock.now()
    )
    if "feedback" in (await _said(event.customer_id, tx)).kinds:
        tx.publish(FeedbackDue(order_id=event.order_id, customer_id=event.customer_id))


@notifications.on(OrderCancelled, attempts=PATIENCE, leads_to=[MailWasRefused])
async def tell_cancelled(event: OrderCancelled, tx: Transaction, port: Mailer, links: Links, clock: Clock) -> None:
    """Tell the customer that the order is cancelled."""
    await _tell(
        cancelled(event, await _address(event.customer_id, "cancelled", tx, links)), event, tx, port, clock.now()
    )


@notifications.on(OrderReturned, attempts=PATIENCE, leads_to=[MailWasRefused])
async def tell_returned(event: OrderReturned, tx: Transaction, port: Mailer, links: Links, clock: Clock) -> None:
    """Tell the customer that the goods came back, and the money goes back."""
    await _tell(returned(event, await _address(event.customer_id, "returned", tx, links)), event, tx, port, clock.now())


@notifications.on(FeedbackDue, attempts=PATIENCE, leads_to=[MailWasRefused])
async def ask_feedback(event: FeedbackDue, tx: Transaction, port: Mailer, links: Links, clock: Clock) -> None:
    """Ask how it was. Whoever has turned that off since is left alone, also when the first sending got stuck."""
    letter = feedback(event, await _address(event.customer_id, "feedback", tx, links))
    if "feedback" in (await _said(event.customer_id, tx)).kinds:  # read last, right before the mail goes out
        await _tell(letter, event, tx, port, clock.now())


async def _address(user_id: str, kind: Kind, tx: Transaction, links: Links) -> Address:
    recipient, said = await tx.get(Recipient, user_id), await _said(user_id, tx)
    if recipient is None:
        raise ShoalError(
            f"user {user_id} is not known here yet", hint="it is tried again; accounts are made with POST /users"
        )
    return Address(
        recipient=recipient,
        language=said.language,
        unsubscribe=links.link(user_id, kind),
        page=links.page(user_id, kind),
    )


async def _said(user_id: str, tx: Transaction) -> Chosen:
    return await tx.get(Chosen, user_id) or Chosen(user_id=user_id)


async def _tell(
    mail: Mail, event: OrderConfirmed | OrderCancelled | OrderReturned | FeedbackDue, tx: Transaction, port: Mailer,
    now: datetime,
) -> None:  # fmt: skip
    """Send a mail and note it; a refusal is a fact about the address, not a failure to try again."""
    note = Notification(
        message_id=mail.message_id,
        user_id=event.customer_id,
        order_id=event.order_id,
        subject=mail.subject,
        outcome="SENT",
        sent_at=now,
    )
    if not mail.email:  # the customer was erased meanwhile
        tx.put(msgspec.structs.replace(note, outcome="REFUSED"))
        return
    try:
        await port.send(mail)
    except MailRefused:
        note = msgspec.structs.replace(note, outcome="REFUSED")
        tx.publish(
            MailWasRefused(
                message_id=mail.message_id, user_id=event.customer_id, order_id=event.order_id, refused_at=now
            )
        )
    tx.put(note)
