"""Who may do what, and who knows what."""

from tests.check.breaks.kinds import Break, Edit, Found

PAYMENTS = "shop/payments"
INVENTORY = "shop/inventory"
NOTIFICATIONS = "shop/notifications"


SECURITY = (
    Break(
        name="anybody may correct the stock",
        edits=(
            Edit(
                f"{INVENTORY}/service.py",
                '.put("/stock/{sku}", access=role("admin"))',
                '.put("/stock/{sku}", access=anyone)',
            ),
        ),
        found=(
            Found(
                "SH401",
                f"{INVENTORY}/service.py",
                '@inventory.put("/stock/{sku}", access=anyone)',
                "anybody may PUT /stock/{sku}, as often as they like",
                'limit=RateLimit(requests=5, per=60, by="address")',
            ),
        ),
        remedy=(
            Edit(
                f"{INVENTORY}/service.py",
                '.put("/stock/{sku}", access=anyone)',
                '.put("/stock/{sku}", access=anyone, limit=RateLimit(requests=5, per=60, by="address"))',
            ),
            Edit(f"{INVENTORY}/service.py", "    Problem,\n    Recorded", "    Problem,\n    RateLimit,\n    Recorded"),
        ),
    ),
    Break(
        name="the password of the mail server is in the settings",
        edits=(
            Edit(
                f"{NOTIFICATIONS}/settings.py",
                'smtp_password: Secret = Secret("")',
                'smtp_password: Secret = Secret("tr0ub4dor")',
            ),
        ),
        found=(
            Found(
                "SH403",
                f"{NOTIFICATIONS}/settings.py",
                "smtp_password: Secret",
                "a secret stands in the source",
                "read it from the environment by a setting of type Secret",
            ),
        ),
        remedy=(Edit(f"{NOTIFICATIONS}/settings.py", 'Secret("tr0ub4dor")', 'Secret("")'),),
    ),
    Break(
        name="everybody who is signed in may see everybody's payments",
        edits=(Edit(f"{PAYMENTS}/service.py", " or payment.customer_id != principal.subject:", ":"),),
        found=(
            Found(
                "SH402",
                f"{PAYMENTS}/service.py",
                '@payments.get("/payments/{order_id}")',
                "GET /payments/{order_id} answers everybody who is signed in, whoever's it is",
                "take principal: Principal and require that it is the owner",
            ),
        ),
        remedy=(
            Edit(
                f"{PAYMENTS}/service.py",
                "    if payment is None:\n        raise Problem(404",
                "    if payment is None or payment.customer_id != principal.subject:\n        raise Problem(404",
            ),
        ),
    ),
)
