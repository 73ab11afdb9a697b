"""Stand-ins for what lies outside, in memory; they count what reaches them, per key."""

import asyncio
from collections import Counter
from typing import Literal

from shop.notifications.mailer import Mail, Mailer, MailNotSent, MailRefused
from shop.payments.provider import (
    Charge,
    ChargeRequest,
    Decline,
    Listed,
    OutcomeUnknown,
    PaymentProvider,
    Refund,
    RefundRequest,
)


class FakeProvider:
    """A payment provider that remembers its keys, as a good one does."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.charged: dict[str, int] = {}
        """Amount by key."""
        self.refunded: dict[str, str] = {}
        """Charge by key."""
        self.loses: set[Literal["charge", "refund"]] = set()
        """For what the first answer to each key is lost, after the effect."""
        self.list: list[Listed] = []
        """What was charged, in order."""
        self._answers: dict[str, Charge | Decline | Refund] = {}

    async def charge(self, request: ChargeRequest) -> Charge | Decline:
        """Take money, unless the card says no."""
        self.requests[request.key] += 1
        if request.key not in self._answers:
            self._answers[request.key] = self._charge(request)
            self._maybe_lose("charge", request.key)
        answer = self._answers[request.key]
        assert isinstance(answer, Charge | Decline)
        return answer

    async def refund(self, request: RefundRequest) -> Refund:
        """Give a charge back."""
        self.requests[request.key] += 1
        if request.key not in self._answers:
            self.refunded[request.key] = request.charge_id
            self._answers[request.key] = Refund(refund_id=f"re_{request.charge_id}")
            self._maybe_lose("refund", request.key)
        answer = self._answers[request.key]
        assert isinstance(answer, Refund)
        return answer

    async def charges(self, after: str = "") -> tuple[Listed, ...]:
        """List what was charged."""
        known = [listed.charge_id for listed in self.list]
        return tuple(self.list[known.index(after) + 1 if after else 0 :])

    def _charge(self, request: ChargeRequest) -> Charge | Decline:
        if request.method == "tok_declined":
            return Decline(reason="generic_decline")
        self.charged[request.key] = request.amount
        charge_id = f"pi_{request.order_id}"
        self.list.append(
            Listed(charge_id=charge_id, order_id=request.order_id, amount=request.amount, currency=request.currency)
        )
        return Charge(charge_id=charge_id)

    def _maybe_lose(self, kind: Literal["charge", "refund"], key: str) -> None:
        if kind in self.loses:
            raise OutcomeUnknown(f"the answer to {key} was lost")


class FakeMailer:
    """A mail server that counts deliveries by Message-ID."""

    def __init__(self) -> None:
        self.deliveries: Counter[str] = Counter()
        self.mails: dict[str, Mail] = {}
        self.failures = 0
        """How many mails fail from now on."""
        self.refused: set[str] = set()
        """Addresses that take no mail."""
        self.stuck: set[str] = set()
        """Subjects that get stuck, as often as they are tried."""
        self._tried = asyncio.Condition()
        self._subjects: set[str] = set()

    async def send(self, mail: Mail) -> None:
        """Take a mail."""
        if mail.email in self.refused:
            raise MailRefused(f"nobody is at {mail.email}")
        if mail.subject in self.stuck:
            async with self._tried:
                self._subjects.add(mail.subject)
                self._tried.notify_all()
            raise MailNotSent(f"mail {mail.message_id} got stuck")
        if self.failures:
            self.failures -= 1
            raise MailNotSent(f"mail {mail.message_id} got stuck")
        self.deliveries[mail.message_id] += 1
        self.mails[mail.message_id] = mail

    async def tried(self, subject: str) -> None:
        """Wait until a mail of this subject got stuck."""
        async with asyncio.timeout(10), self._tried:
            await self._tried.wait_for(lambda: subject in self._subjects)

    def to(self, email: str) -> list[Mail]:
        """List the mails to one address."""
        return [mail for mail in self.mails.values() if mail.email == email]


def as_ports(provider: FakeProvider, mailer: FakeMailer) -> tuple[PaymentProvider, Mailer]:
    """Let the type checker hold the fakes to what they stand in for."""
    return provider, mailer
