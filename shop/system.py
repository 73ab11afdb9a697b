"""The shop: every service of it, and what lies around them."""

from shoal import External, Gateway, Issuer, Sandbox, System
from shop.audit import AUDITS
from shop.inventory.service import inventory
from shop.monolith import monolith
from shop.notifications.service import notifications
from shop.orders.service import orders
from shop.payments.service import payments
from shop.products.service import products
from shop.users.service import users

system = System(
    "shop",
    services=[users, products, inventory, orders, payments, notifications],
    issuer=Issuer(users, audience="shop"),
    audits=AUDITS,
    gateway=Gateway(legacy=(monolith,)),
    externals=[
        External(
            name="payment-provider",
            protocol="http",
            setting="provider_url",
            sandbox=Sandbox(module="shop.sandboxes.payment_provider"),
        ),
        External(name="mail", protocol="smtp", setting="smtp_url"),
    ],
)
