"""What the provider charged, held against the books: pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shop.payments.provider import Listed
from shop.payments.records import Discrepancy, Payment


def discrepancies(listed: Iterable[Listed], payments: Mapping[str, Payment], now: datetime) -> tuple[Discrepancy, ...]:
    """List the charges that the books do not have as the provider has them; `payments` are by order."""
    found = ((charge, _trouble(charge, payments.get(charge.order_id))) for charge in listed)
    return tuple(
        Discrepancy(
            charge_id=charge.charge_id,
            order_id=charge.order_id,
            amount=charge.amount,
            currency=charge.currency,
            trouble=trouble,
            noticed_at=now,
        )
        for charge, trouble in found
        if trouble
    )


def still(known: Discrepancy, payment: Payment | None) -> bool:
    """Tell whether a discrepancy is there after what was booked meanwhile."""
    charge = Listed(charge_id=known.charge_id, order_id=known.order_id, amount=known.amount, currency=known.currency)
    return bool(_trouble(charge, payment))


def _trouble(charge: Listed, payment: Payment | None) -> str:
    if payment is None:
        return "the books know no payment for this order"
    if payment.charge_id != charge.charge_id:
        return f"the books have {payment.charge_id or 'no charge'} for this order"
    if (payment.amount, payment.currency.lower()) != (charge.amount, charge.currency.lower()):
        return f"the books have {payment.amount} {payment.currency}"
    return ""
