"""What the provider of payments is asked, in the trace of the order."""

from shoal import Trace
from shop.payments.provider import Charge, ChargeRequest, Decline, Listed, PaymentProvider, Refund, RefundRequest

PEER = {"peer.service": "payment-provider"}
"""Whom the spans are about: the map of the system draws a way to it."""


class TracedProvider:
    """A `PaymentProvider` that asks another one."""

    def __init__(self, port: PaymentProvider, trace: Trace) -> None:
        self._port, self._trace = port, trace

    async def charge(self, request: ChargeRequest) -> Charge | Decline:
        """Take money."""
        with self._trace.span("charge card", PEER):
            self._trace.set("payment.amount", request.amount)
            self._trace.set("payment.currency", request.currency)
            return await self._port.charge(request)

    async def refund(self, request: RefundRequest) -> Refund:
        """Give it back."""
        with self._trace.span("refund charge", PEER):
            return await self._port.refund(request)

    async def charges(self, after: str = "") -> tuple[Listed, ...]:
        """List what was taken."""
        with self._trace.span("list charges", PEER):
            return await self._port.charges(after)
