"""The books are held against the provider's own list, by the clock."""

from datetime import UTC, datetime

import msgspec
import pytest

from shoal.testing import MemorySystem
from shop.payments import reconciling
from shop.payments.provider import Listed
from shop.payments.records import Payment
from shop.tests.fakes import FakeProvider
from shop.tests.people import Customer

STRAY = Listed(charge_id="pi_stray", order_id="ord_unknown", amount=990, currency="EUR")


async def discrepancies(system: MemorySystem, token: str) -> list[dict[str, object]]:
    """Let ten minutes pass, and see which charges disagree."""
    system.clock.advance(600)
    await system.settle()
    found: list[dict[str, object]] = (await system.get("/discrepancies", token=token)).json()
    return found


async def test_charges_that_nobody_booked_are_shown_until_they_are(
    system: MemorySystem, ada: Customer, admin_token: str, provider: FakeProvider
) -> None:
    await ada.order(("KIT-0160", 1))
    await system.settle()
    assert len(provider.list) == 1
    provider.list.append(STRAY)
    (found,) = await discrepancies(system, admin_token)
    assert (found["charge_id"], found["order_id"], found["amount"]) == ("pi_stray", "ord_unknown", 990)
    assert "no payment" in str(found["trouble"])
    await ada.order(("KIT-0160", 1))
    await system.settle()
    assert len(await discrepancies(system, admin_token)) == 1


async def test_nobody_else_sees_them(system: MemorySystem, ada: Customer) -> None:
    assert (await system.get("/discrepancies", token=ada.token)).status == 403


@pytest.mark.parametrize(
    ("change", "said"),
    [({"charge_id": "pi_other"}, "the books have pi_ord_1"), ({"amount": 1}, "the books have 500 EUR")],
)
def test_what_is_booked_otherwise_is_found(change: dict[str, object], said: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    payment = Payment(
        order_id="ord_1", customer_id="ada", amount=500, currency="EUR", status="CAPTURED", charge_id="pi_ord_1",
        updated_at=now,
    )  # fmt: skip
    listed = Listed(charge_id="pi_ord_1", order_id="ord_1", amount=500, currency="eur")
    assert reconciling.discrepancies([listed], {"ord_1": payment}, now) == ()
    (found,) = reconciling.discrepancies([msgspec.structs.replace(listed, **change)], {"ord_1": payment}, now)
    assert said in found.trouble
    assert reconciling.still(found, payment)
