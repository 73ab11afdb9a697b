"""The questions that the shop's staff ask again and again."""

from datetime import date
from typing import Annotated

import msgspec

from shoal import Count, Day, Sum, report
from shop.analytics.facts import FailedPayment, Milestone, Sale


@report(Milestone, where={"step": "confirmed"}, order=["-day"], limit=366)
class RevenueOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """What was confirmed on one day; what came back later is not taken off."""

    day: Annotated[date, Day()]
    currency: str
    orders: Annotated[int, Count()]
    revenue: Annotated[int, Sum("amount")]
    """In cents of the currency."""


@report(Milestone)
class StepOfFunnel(msgspec.Struct, frozen=True, kw_only=True):
    """How many came so far."""

    step: str
    times: Annotated[int, Count()]


@report(Sale, order=["-revenue"], limit=100)
class TopProduct(msgspec.Struct, frozen=True, kw_only=True):
    """What one product brought in."""

    sku: str
    name: str
    currency: str
    orders: Annotated[int, Count()]
    """One line each: an order has one line for a product."""
    pieces: Annotated[int, Sum("quantity")]
    revenue: Annotated[int, Sum("amount")]


@report(FailedPayment, order=["-day", "-payments"], limit=1000)
class FailedPaymentsOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """How often cards were not charged for one reason on one day."""

    day: Annotated[date, Day()]
    reason: str
    payments: Annotated[int, Count()]
