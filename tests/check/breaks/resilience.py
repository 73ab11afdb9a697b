"""What is waited for, and what is repeated."""

from tests.check.breaks.kinds import Break, Edit, Found

ORDERS = "shop/orders"
PAYMENTS = "shop/payments"

_CHARGE = "            refunded = await payments.refund(RefundAsked(order_id=state.order_id))\n"
_AGAIN = """\
            for _ in range(3):
                try:
                    refunded = await payments.refund(RefundAsked(order_id=state.order_id))
                    break
                except CallFailed:
                    continue
"""

RESILIENCE = (
    Break(
        name="the provider is asked without a limit",
        edits=(Edit(f"{PAYMENTS}/stripe.py", "headers=headers, timeout=limits,", "headers=headers,"),),
        found=(
            Found(
                "SH301",
                f"{PAYMENTS}/stripe.py",
                "return aiohttp.ClientSession(",
                "aiohttp.ClientSession waits five minutes when nobody answers",
                "timeout=aiohttp.ClientTimeout(total=2.0)",
            ),
        ),
        remedy=(
            Edit(
                f"{PAYMENTS}/stripe.py",
                "headers=headers, raise",
                "headers=headers, timeout=aiohttp.ClientTimeout(total=2.0), raise",
            ),
        ),
    ),
    Break(
        name="a refund is repeated by hand, and is not safe to repeat",
        edits=(
            Edit(f"{PAYMENTS}/contract.py", "idempotent=True, ", ""),
            Edit(f"{ORDERS}/returns.py", _CHARGE, _AGAIN),
            Edit(f"{ORDERS}/returns.py", "import CallRejected", "import CallFailed, CallRejected"),
        ),
        found=(
            Found(
                "SH302",
                f"{ORDERS}/returns.py",
                "await payments.refund(",
                "orders repeats payments.refund, which is not safe to repeat",
                "declare payments.refund idempotent=True, and let the framework repeat it",
            ),
            Found(
                "SH206",
                f"{ORDERS}/returns.py",
                "await payments.refund(",
                "orders.return-goods.refund has payments.refund happen again when the step is tried again",
                "idempotent=True in its contract",
            ),
            Found(
                "SH601",
                f"{PAYMENTS}/contract.py",
                "async def refund(",
                "POST /refunds: repeating a request under one Idempotency-Key has an effect again",
                "keep what was there",
            ),
        ),
        remedy=(
            Edit(f"{PAYMENTS}/contract.py", "access=internal, ", "access=internal, idempotent=True, "),
            Edit(f"{ORDERS}/returns.py", _AGAIN, _CHARGE),
            Edit(f"{ORDERS}/returns.py", "import CallFailed, CallRejected", "import CallRejected"),
        ),
    ),
)
