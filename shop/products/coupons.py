"""Coupons, taken over from the shop's old application: what they take off, and until when."""

from importlib import resources

import msgspec

from shoal import record


@record("coupons", key="code")
class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer gets off an order. The answer is the old application's, field by field."""

    code: str
    percent: int
    """Taken off the total."""
    least: int
    """Total from which it holds, in cents of the shop's currency."""
    until: str
    """Last day on which it holds (ISO 8601)."""


def inherited() -> tuple[Coupon, ...]:
    """Read the coupons as the old application had them."""
    text = resources.files("shop.products").joinpath("coupons.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=list[Coupon]))
