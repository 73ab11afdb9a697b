"""What people want to be told, in one process: languages, kinds, and ways to leave."""

from urllib.parse import urlsplit

from shoal.testing import MemorySystem
from shop.notifications.contract import FeedbackDue
from shop.notifications.mailer import Mail
from shop.orders.contract import OrderConfirmed
from shop.tests.fakes import FakeMailer
from shop.tests.people import Customer

MUG = "KIT-0160"
PREFERENCES = "/notifications/preferences"
EVERYTHING = {"confirmed": True, "cancelled": True, "returned": True, "feedback": True}


async def wish(customer: Customer, **said: object) -> None:
    answer = await customer.system.put(PREFERENCES, json=said, token=customer.token)
    assert answer.status == 200, answer.body


async def ordered(system: MemorySystem, customer: Customer) -> None:
    answer = await customer.order((MUG, 1))
    order_id = answer.json()["order_id"]
    await system.events.expect(OrderConfirmed, lambda event: event.order_id == order_id)
    await system.settle()


def subjects(mails: list[Mail]) -> set[str]:
    return {mail.subject for mail in mails}


REFUSED = (
    ({"kinds": {"confirmed": False}}, 409),
    ({"kinds": {"feedback": True, "returned": False}}, 409),
    ({"kinds": {"lottery": True}}, 422),
    ({"language": "tlh"}, 422),
    ({"kinds": {"feedback": "yes"}}, 422),
)
"""Wishes that nobody is granted: mails that are owed, and what does not exist."""


async def test_wishes_are_kept_for_each_person_and_what_is_owed_is_none(ada: Customer, bob: Customer) -> None:
    plain = {"language": "en", "kinds": EVERYTHING | {"feedback": False}}
    assert await ada.get(PREFERENCES) == plain, "who says nothing is told what must be told"
    await wish(ada, language="de", kinds={"feedback": True})
    assert await bob.get(PREFERENCES) == plain
    for said, status in REFUSED:
        answer = await ada.system.put(PREFERENCES, json=said, token=ada.token)
        assert answer.status == status, answer.body
    assert await ada.get(PREFERENCES) == {"language": "de", "kinds": EVERYTHING}
    await wish(ada, kinds={"confirmed": True})
    assert await ada.get(PREFERENCES) == plain
    for method in ("GET", "PUT"):
        assert (await ada.system.request(method, PREFERENCES, json={})).status == 401


async def test_who_wants_to_is_asked_how_it_was_and_leaves_with_one_post(
    system: MemorySystem, ada: Customer, mailer: FakeMailer
) -> None:
    await wish(ada, language="de", kinds={"feedback": True})
    await ordered(system, ada)
    (told,) = (mail for mail in mailer.to(ada.email) if not mail.unsubscribe)
    assert (told.subject, told.language) == ("Ihre Bestellung ist bestätigt", "de")
    (asked,) = (mail for mail in mailer.to(ada.email) if mail.unsubscribe)
    assert asked.subject == "Wie war es?"
    link = urlsplit(asked.unsubscribe)
    target, form = f"{link.path}?{link.query}", {"content-type": "application/x-www-form-urlencoded"}
    assert (await system.get(target)).status == 405, "a look at the link turns nothing off"
    assert (await system.post(f"{target}x")).status == 403, "nor does a forged one"
    assert (await ada.get(PREFERENCES))["kinds"]["feedback"] is True
    for _ in range(2):
        left = await system.request("POST", target, json="List-Unsubscribe=One-Click", headers=form)
        assert (left.status, left.json()) == (200, {"kind": "feedback"})
    assert await ada.get(PREFERENCES) == {"language": "de", "kinds": EVERYTHING | {"feedback": False}}
    mailer.mails.clear()
    await ordered(system, ada)
    assert subjects(mailer.to(ada.email)) == {told.subject}


async def test_who_leaves_while_a_mail_is_stuck_does_not_get_it(
    system: MemorySystem, ada: Customer, mailer: FakeMailer
) -> None:
    await wish(ada, kinds={"feedback": True})
    mailer.stuck.add("How was it?")
    await ada.order((MUG, 1))
    await system.events.expect(FeedbackDue)
    await mailer.tried("How was it?")
    await wish(ada, kinds={"feedback": False})
    mailer.stuck.clear()
    await system.settle()
    assert subjects(mailer.to(ada.email)) == {"Your order is confirmed"}
    assert "How was it?" not in {told["subject"] for told in (await ada.get("/notifications"))["data"]}
