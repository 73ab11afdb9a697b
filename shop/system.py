"""The shop: every service of it, and what lies around them."""

from shoal import Consumer, Cors, External, Gateway, Issuer, Sandbox, System
from shop.analytics.service import analytics
from shop.audit import AUDITS
from shop.inventory.service import inventory
from shop.mobile.service import mobile
from shop.monolith import monolith
from shop.notifications.service import notifications
from shop.orders.service import orders
from shop.partner.service import partner
from shop.payments.service import payments
from shop.products.service import products
from shop.users.service import users
from shop.web.service import web

CORS = Cors(origins=("https://shop.example", "http://localhost:5173"))
"""The pages that sell what is here: the one in use, and the one that somebody is building."""

PARTNERS = (Consumer(name="marketplace", roles=("partner",)), Consumer(name="price-finder", roles=("partner",)))
"""Programs that ask on behalf of other shops. Their keys are made beside the running system, and stand in no source."""

system = System(
    "shop",
    services=[users, products, inventory, orders, payments, notifications, web, mobile, partner, analytics],
    issuer=Issuer(users, audience="shop"),
    audits=AUDITS,
    gateway=Gateway(cors=CORS, consumers=PARTNERS, legacy=(monolith,)),
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
