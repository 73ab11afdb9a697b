"""Which paths the old application still has; `shoal strangle status` tells what has become of each."""

from shoal import Legacy, LegacyRoute

monolith = Legacy(
    name="monolith",
    module="shop.legacy",
    routes=(
        LegacyRoute(name="coupon", path="/coupons/{code}"),
        LegacyRoute(name="coupons", path="/coupons"),
        LegacyRoute(name="redeem", method="POST", path="/coupons/{code}/redemptions"),
    ),
)
