"""The shop's own promises: they hold after all that a customer can do, and each is seen to break."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from shoal import Evidence, Verdict
from shoal.testing import MemorySystem
from shop import audit
from shop.inventory.ledger import Shelf
from shop.inventory.records import Reservation, Wanted
from shop.notifications.records import Notification
from shop.orders.records import Order
from shop.payments.records import Entry, Payment
from shop.tests.fakes import FakeMailer, FakeProvider
from shop.tests.people import Customer


def outside(provider: FakeProvider, mailer: FakeMailer) -> dict[str, Any]:
    """Let the fakes answer as the sandboxes do."""
    orders = {f"pi_{key.removesuffix('-charge')}": key.removesuffix("-charge") for key in provider.charged}
    amounts = {order: provider.charged[f"{order}-charge"] for order in orders.values()}
    keys = {key: _effect("/v1/payment_intents", key.removesuffix("-charge"), n) for key, n in provider.charged.items()}
    keys |= {
        key: _effect("/v1/refunds", orders[charge], amounts[orders[charge]])
        for key, charge in provider.refunded.items()
    }

    async def ledger(_: str) -> Any:
        return {"keys": keys}

    async def messages(_: str) -> Any:
        return [{"message_id": i, "deliveries": n} for i, n in mailer.deliveries.items()]

    return {"payment-provider": ledger, "mail": messages}


def _effect(path: str, order_id: str, amount: int) -> dict[str, Any]:
    return {"path": path, "reference": order_id, "amount": amount, "effects": 1}


async def test_every_promise_holds_after_orders_of_every_end(
    system: MemorySystem, ada: Customer, admin_token: str, provider: FakeProvider, mailer: FakeMailer
) -> None:
    provider.loses = {"charge", "refund"}
    mailer.failures = 2
    await system.put("/stock/KIT-0112", json={"available": 0}, token=admin_token)
    for sku, card in (("KIT-0110", "tok_visa"), ("KIT-0110", "tok_declined"), ("KIT-0112", "tok_visa")):
        assert (await ada.order((sku, 2), card=card)).status == 201
    for _ in range(8):
        system.clock.advance(5)
        await system.settle()
    report = await system.audit(externals=outside(provider, mailer))
    assert report.held, report.complaints()
    (ended,) = report.outcome("I1")
    assert ended.counts == {"acknowledged": 0, "confirmed": 1, "cancelled": 2, "returned": 0}
    assert {o.state for o in report.outcomes if o.code != "I9"} == {"held"}


class Books:
    """Evidence that a test writes itself."""

    operations = ()

    def __init__(self, *records: object, outside: Mapping[str, Any] | None = None) -> None:
        self._records, self._outside = records, outside or {}

    async def records(self, service: str, kind: type[Any]) -> list[Any]:
        return [record for record in self._records if isinstance(record, kind)]

    async def ask(self, external: str, path: str) -> Any:
        return self._outside[external]

    async def answered(self, operation: object) -> None:
        raise AssertionError("nobody kept a record")


ORDER = msgspec.convert(
    {
        "order_id": "o1", "customer_id": "ada", "lines": [], "total": 100, "currency": "EUR", "payment_method": "tok",
        "status": "CONFIRMED", "placed_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    },
    Order,
)  # fmt: skip
PAYMENT = Payment(
    order_id="o1", customer_id="ada", amount=100, currency="EUR", status="CAPTURED", updated_at=ORDER.updated_at
)
ONCE = {"keys": {"o1-charge": _effect("/v1/payment_intents", "o1", 100)}}
TWICE = {"keys": {**ONCE["keys"], "again": _effect("/v1/payment_intents", "o1", 100)}}
NOTE = Notification(
    message_id="<o1.confirmed@shop.example>", user_id="ada", order_id="o1", subject="", outcome="SENT",
    sent_at=ORDER.updated_at,
)  # fmt: skip
MAIL = {"message_id": NOTE.message_id, "deliveries": 1}
PIECES = (Wanted(sku="KIT", quantity=2),)
SOLD = Reservation(order_id="o1", stage="SOLD", wanted=PIECES, paid=True)
SHELF = Shelf(sku="KIT", received=10, available=8, sold=2)


def _entry(account: str, amount: int) -> Entry:
    return msgspec.convert(
        {
            "entry_id": account, "order_id": "o1", "account": account, "amount": amount, "currency": "EUR",
            "booked_at": "2026-01-01T00:00:00Z",
        },
        Entry,
    )  # fmt: skip


BOOKED = (_entry("provider", 100), _entry("sales", -100))


def _with(record: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(record, **changes)


BROKEN = (
    (audit.orders_end, Books(_with(ORDER, status="PAID")), "o1 is still PAID"),
    (audit.charged_once, Books(ORDER, outside={"payment-provider": TWICE}), "o1 was charged 2 times"),
    (audit.charged_once, Books(outside={"payment-provider": ONCE}), "o1 was charged and is no order"),
    (audit.money, Books(ORDER, *BOOKED, outside={"payment-provider": TWICE}), "the provider holds 200 and"),
    (audit.money, Books(ORDER, BOOKED[0], outside={"payment-provider": ONCE}), "the ledger does not sum to nothing"),
    (audit.money, Books(ORDER, outside={"payment-provider": ONCE}), "the ledger has 0 at the provider, which holds"),
    (audit.payments_agree, Books(ORDER), "o1 is CONFIRMED and its payment missing"),
    (audit.payments_agree, Books(ORDER, _with(PAYMENT, status="REFUNDED")), "o1 is CONFIRMED and its payment REFUNDED"),
    (
        audit.told_once,
        Books(ORDER, NOTE, outside={"mail": []}),
        f"{NOTE.message_id} was noted as sent and not received",
    ),
    (audit.told_once, Books(ORDER, outside={"mail": []}), "o1 ended, and nobody was told"),
    (audit.told_once, Books(_with(ORDER, status="CANCELLED"), NOTE, outside={"mail": [MAIL]}), "o1 was told of as"),
    (audit.stock, Books(_with(SHELF, available=9), SOLD), "KIT: received 10 is not 9 + 0 + 2"),
    (audit.stock, Books(SHELF), "KIT: 2 pieces left the shelf and orders took 0"),
    (audit.reserved_once, Books(ORDER), "o1 is CONFIRMED and its pieces are missing"),
    (audit.reserved_once, Books(_with(ORDER, status="CANCELLED"), SOLD), "o1 is CANCELLED and its pieces are SOLD"),
)


@pytest.mark.parametrize(("check", "books", "said"), BROKEN)
async def test_each_promise_is_seen_to_break(check: Any, books: Evidence, said: str) -> None:
    verdict: Verdict = await check(books)
    assert any(text.startswith(said) for text in verdict.violations), verdict


async def test_sound_books_are_found_sound() -> None:
    everything = Books(ORDER, PAYMENT, *BOOKED, NOTE, SOLD, SHELF, outside={"payment-provider": ONCE, "mail": [MAIL]})
    for each in audit.AUDITS:
        assert not (await each.check(everything)).violations, each.title
