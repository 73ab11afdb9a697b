"""What the shop promises: to its customers, of their money, of the stock and of the e-mails.

Money and e-mails are counted by those outside who take them: the payment provider's own ledger and the mailbox.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from shoal import Audit, Evidence, Verdict
from shop.inventory.ledger import Shelf
from shop.inventory.records import Reservation
from shop.notifications.records import Notification
from shop.orders.records import Order
from shop.payments.records import Entry, Payment

_FINAL = ("CONFIRMED", "CANCELLED", "RETURNED")
_HELD = ("RESERVED", "SOLD")
_WORDS = {
    ".confirmed@": ("CONFIRMED", "RETURNING", "RETURNED"),
    ".cancelled@": ("CANCELLED",),
    ".returned@": ("RETURNED",),
}
"""A word in the Message-ID of a mail, and how an order may stand of which it was written; it must be, of the first."""


async def orders_end(evidence: Evidence) -> Verdict:
    """Find every acknowledged order, and see that each order has come to its end."""
    known = {order.order_id: order for order in await evidence.records("orders", Order)}
    said = [_order_id(o.body) for o in evidence.operations if o.service == "orders" and o.status == 201]
    lost = [f"{order_id} was acknowledged and does not exist" for order_id in said if order_id not in known]
    open_ = [f"{o.order_id} is still {o.status}" for o in known.values() if o.status not in _FINAL]
    counts = Counter[str](order.status for order in known.values())
    return Verdict(
        counts={"acknowledged": len(said), **{status.lower(): counts[status] for status in _FINAL}},
        violations=(*lost, *open_),
    )


async def orders_once(evidence: Evidence) -> Verdict:
    """See that every order of a recorded client was asked for by one command, and that no two share an order."""
    placing = [o for o in evidence.operations if o.service == "orders" and o.endpoint == "place_order"]
    if not placing:
        return Verdict(unchecked="no client kept a record")
    answers = [answer for o in placing if (answer := await evidence.answered(o)) is not None]
    asked = Counter(_order_id(answer.body) for answer in answers if answer.status == 201)
    callers = {operation.caller for operation in placing}
    placed = [o.order_id for o in await evidence.records("orders", Order) if o.customer_id in callers]
    doubled = [f"{order_id} answers {times} commands" for order_id, times in asked.items() if times > 1]
    unasked = [f"{order_id} was asked for by nobody" for order_id in placed if order_id not in asked]
    return Verdict(counts={"commands": len(placing), "orders": len(placed)}, violations=(*doubled, *unasked))


async def charged_once(evidence: Evidence) -> Verdict:
    """Count at the provider: at most one charge and one refund for each order."""
    charges, refunds = _moved(await evidence.ask("payment-provider", "/_sandbox/ledger"))
    twice = [f"{order_id} was charged {len(each)} times" for order_id, each in charges.items() if len(each) > 1]
    twice += [f"{order_id} was refunded {len(each)} times" for order_id, each in refunds.items() if len(each) > 1]
    known = {order.order_id for order in await evidence.records("orders", Order)}
    unknown = [f"{order_id} was charged and is no order" for order_id in charges if order_id not in known]
    return Verdict(counts={"charges": len(charges), "refunds": len(refunds)}, violations=(*twice, *unknown))


async def told_once(evidence: Evidence) -> Verdict:
    """Count in the mailbox: one e-mail for each notification, under one Message-ID, with none for another end.

    A mail server has no idempotency keys: after a kill between sending and commit a mail goes out again, under the same
    Message-ID, by which its receiver recognises it. Such repetitions are counted apart.
    """
    mails: Sequence[Mapping[str, Any]] = await evidence.ask("mail", "/messages")
    noted = {n.message_id: n for n in await evidence.records("notifications", Notification)}
    ends = {o.order_id: o.status for o in await evidence.records("orders", Order)}
    received = {str(mail["message_id"]): int(mail["deliveries"]) for mail in mails}
    missing = [f"{i} was noted as sent and not received" for i, n in noted.items() if _is_lost(n, received)]
    unsaid = [f"{order_id} ended, and nobody was told" for order_id in _untold(ends, noted)]
    wrong = [f"{n.order_id} was told of as {n.message_id}, and is {ends.get(n.order_id)}" for n in _wrong(ends, noted)]
    return Verdict(
        counts={"mails": len(received), "repeated": sum(received.values()) - len(received), "told": len(noted)},
        violations=(*missing, *unsaid, *wrong),
    )


async def money(evidence: Evidence) -> Verdict:
    """See that what the provider took and gave back is what confirmed orders cost, and that the books agree."""
    charges, refunds = _moved(await evidence.ask("payment-provider", "/_sandbox/ledger"))
    taken = sum(sum(each) for each in charges.values()) - sum(sum(each) for each in refunds.values())
    orders = await evidence.records("orders", Order)
    earned = sum(order.total for order in orders if order.status == "CONFIRMED")
    accounts: defaultdict[str, int] = defaultdict(int)
    for entry in await evidence.records("payments", Entry):
        accounts[entry.account] += entry.amount
    violations = []
    if taken != earned:
        violations.append(f"the provider holds {taken} and confirmed orders cost {earned}")
    if sum(accounts.values()):
        violations.append(f"the ledger does not sum to nothing: {dict(accounts)}")
    if accounts["provider"] != taken:
        violations.append(f"the ledger has {accounts['provider']} at the provider, which holds {taken}")
    return Verdict(counts={"taken": taken, "earned": earned}, violations=tuple(violations))


async def payments_agree(evidence: Evidence) -> Verdict:
    """See that each order's payment says the same as its end."""
    paid = {payment.order_id: payment for payment in await evidence.records("payments", Payment)}
    fits = {("CONFIRMED", "CAPTURED"), ("CANCELLED", "DECLINED"), ("CANCELLED", "REFUNDED"), ("RETURNED", "REFUNDED")}
    violations = []
    for order in await evidence.records("orders", Order):
        status = paid[order.order_id].status if order.order_id in paid else "missing"
        if order.status in _FINAL and (order.status, status) not in fits:
            violations.append(f"{order.order_id} is {order.status} and its payment {status}")
    return Verdict(counts={"payments": len(paid)}, violations=tuple(violations))


async def stock(evidence: Evidence) -> Verdict:
    """See that no piece was lost or made: by shelf, and against the orders that took it."""
    shelves = await evidence.records("inventory", Shelf)
    violations = [
        f"{s.sku}: received {s.received} is not {s.available} + {s.reserved} + {s.sold}"
        for s in shelves
        if s.received != s.available + s.reserved + s.sold or min(s.available, s.reserved, s.sold) < 0
    ]
    held: Counter[str] = Counter()
    for reservation in await evidence.records("inventory", Reservation):
        if reservation.stage in _HELD:
            held.update({wanted.sku: wanted.quantity for wanted in reservation.wanted})
    violations += [
        f"{s.sku}: {s.reserved + s.sold} pieces left the shelf and orders took {held[s.sku]}"
        for s in shelves
        if s.reserved + s.sold != held[s.sku]
    ]
    counts = {"received": sum(s.received for s in shelves), "sold": sum(s.sold for s in shelves)}
    return Verdict(counts=counts, violations=tuple(violations))


async def reserved_once(evidence: Evidence) -> Verdict:
    """See that a confirmed order took its pieces, and that no other did."""
    stages = {r.order_id: r.stage for r in await evidence.records("inventory", Reservation)}
    violations = [
        f"{o.order_id} is {o.status} and its pieces are {stages.get(o.order_id, 'missing')}"
        for o in await evidence.records("orders", Order)
        if (o.status == "CONFIRMED") != (stages.get(o.order_id) in _HELD)
    ]
    return Verdict(counts={"reservations": len(stages)}, violations=tuple(violations))


def _order_id(body: Any) -> str:
    return str(body.get("order_id", "")) if isinstance(body, dict) else ""


def _moved(ledger: Any) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Part the provider's effects into charges and refunds: the amounts, by order."""
    charges: defaultdict[str, list[int]] = defaultdict(list)
    refunds: defaultdict[str, list[int]] = defaultdict(list)
    for entry in ledger["keys"].values():
        if entry["effects"]:
            kind = refunds if entry["path"].endswith("/refunds") else charges
            kind[entry["reference"]] += [entry["amount"] // entry["effects"]] * entry["effects"]
    return dict(charges), dict(refunds)


def _is_lost(note: Notification, received: Mapping[str, int]) -> bool:
    return note.outcome == "SENT" and note.message_id not in received


def _untold(ends: Mapping[str, str], noted: Mapping[str, Notification]) -> list[str]:
    """List the orders of whose end their customer has no mail."""
    told = {(note.order_id, word) for note in noted.values() for word in _WORDS if word in note.message_id}
    wanted = [(order_id, word) for order_id, status in ends.items() for word in _WORDS if status in _WORDS[word][:1]]
    return [order_id for order_id, word in wanted if (order_id, word) not in told]


def _wrong(ends: Mapping[str, str], noted: Mapping[str, Notification]) -> list[Notification]:
    """List the notes of an end that an order did not have."""
    return [
        note
        for note in noted.values()
        if any(word in note.message_id and ends.get(note.order_id) not in fit for word, fit in _WORDS.items())
    ]


AUDITS = (
    Audit(code="I1", title="every acknowledged order exists and has ended", check=orders_end),
    Audit(code="I2", title="no order is charged or refunded twice", check=charged_once),
    Audit(code="I2", title="each order takes its pieces once, if it is confirmed", check=reserved_once),
    Audit(code="I2", title="each customer is told once how an order ended", check=told_once),
    Audit(code="I3", title="charges − refunds = confirmed totals, and the books agree", check=money),
    Audit(code="I3", title="each payment says what its order says", check=payments_agree),
    Audit(code="I4", title="received = available + reserved + sold", check=stock),
    Audit(code="I9", title="every order was asked for by one command", check=orders_once),
)
