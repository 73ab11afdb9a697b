"""The subset of Stripe's API, without any socket. Source: Stripe API Reference, version 1."""

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from shop.sandboxes.payment_provider.behaviour import CARDS, Behaviour, Card, strikes
from shop.sandboxes.payment_provider.ledger import Answer, Effect, Entry, Ledger

INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
LARGEST = 99_999_999
SMALLEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    path: str
    key: str
    """Its Idempotency-Key; empty when it has none."""
    form: Mapping[str, str]
    authorized: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer, or the lack of one."""

    answer: Answer
    replayed: bool = False
    lost: bool = False
    """Whether the connection breaks instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    answer: Answer
    effect: Effect | None = None


class Refused(Exception):
    """The request is not acceptable; nothing of it is kept under its key."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        body = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
        self.answer = error(status, **body)


@dataclass(slots=True)
class Provider:
    """Charges and refunds, once per idempotency key; safe to use from many threads."""

    ledger: Ledger
    behaviour: Behaviour = field(default_factory=Behaviour)
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, call: Call) -> Response:
        """Answer one request."""
        try:
            card = _check(call)
        except Refused as refusal:
            return Response(answer=refusal.answer)
        key = call.key or f"auto_{uuid.uuid4().hex}"
        if not self._take(key):
            self.ledger.note(key, call.path, _fingerprint(call.form))
            return Response(answer=_IN_USE)
        try:
            return self._answer(key, call, card)
        except Refused as refusal:
            return Response(answer=refusal.answer)
        finally:
            self._busy.discard(key)

    def list(self, query: Mapping[str, str], *, authorized: bool) -> Answer:
        """List charges, the newest first."""
        limit = query.get("limit", "10")
        if not authorized:
            return error(401, type="invalid_request_error", message="there is no API key: send it as a bearer token")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 100):
            return error(400, type="invalid_request_error", param="limit", message="a limit lies between 1 and 100")
        found, more = self.ledger.charges(
            after=query.get("starting_after", ""), before=query.get("ending_before", ""), limit=int(limit)
        )
        data = [_intent(charge) for charge in found]
        return Answer(status=200, body=json.dumps({"object": "list", "data": data, "has_more": more}))

    def _take(self, key: str) -> bool:
        with self._lock:
            is_free = key not in self._busy
            self._busy.add(key)
            return is_free

    def _answer(self, key: str, call: Call, card: Card) -> Response:
        entry = self.ledger.note(key, call.path, _fingerprint(call.form))
        if not entry.is_same:
            return Response(answer=_OTHER_REQUEST)
        if entry.answer is not None:
            return Response(answer=entry.answer, replayed=True)
        return self._execute(key, call, card, entry)

    def _execute(self, key: str, call: Call, card: Card, entry: Entry) -> Response:
        now = self.behaviour
        if entry.attempt <= card.failures or strikes(now.fail_rate, "fail", key, entry.attempt):
            return Response(answer=error(503, type="api_error", message="the provider is not well"))
        time.sleep((card.delay_ms + now.delay_ms) / 1000)
        code = card.decline_code or ("generic_decline" if strikes(now.decline_rate, "decline", key) else "")
        done = self._refund(call.form) if call.path == REFUNDS else _charge(call.form, code)
        self.ledger.commit(key, done.answer, done.effect)
        lost = done.effect is not None and (now.fail_after_commit or card.loses_answer)
        return Response(answer=done.answer, lost=lost)

    def _refund(self, form: Mapping[str, str]) -> _Done:
        charge_id = form["payment_intent"]
        found = self.ledger.effects_of(charge_id)
        if not found:
            raise Refused(404, "resource_missing", f"no such payment_intent: {charge_id}", "payment_intent")
        charge, *refunds = found
        if refunds:
            raise Refused(400, "charge_already_refunded", f"{charge_id} was given back already")
        effect = Effect(
            id=f"re_{uuid.uuid4().hex[:24]}",
            kind="refund",
            amount=charge.amount,
            currency=charge.currency,
            charge=charge_id,
            reference=charge.reference,
        )
        body = {
            "id": effect.id,
            "object": "refund",
            "amount": effect.amount,
            "currency": effect.currency,
            "payment_intent": charge_id,
            "status": "succeeded",
        }
        return _Done(answer=Answer(status=200, body=json.dumps(body)), effect=effect)


def error(status: int, **members: object) -> Answer:
    """Write an error as Stripe does."""
    return Answer(status=status, body=json.dumps({"error": {k: v for k, v in members.items() if v}}))


_IN_USE = error(
    409,
    type="invalid_request_error",
    code="idempotency_key_in_use",
    message="another request with this key is still under way",
)
_OTHER_REQUEST = error(
    400,
    type="idempotency_error",
    message="this key was first used with other parameters, or for another operation",
)


def _intent(charge: Effect) -> dict[str, object]:
    return {
        "id": charge.id,
        "object": "payment_intent",
        "amount": charge.amount,
        "currency": charge.currency,
        "metadata": {"order_id": charge.reference} if charge.reference else {},
        "status": "succeeded",
    }


def _charge(form: Mapping[str, str], decline_code: str) -> _Done:
    amount, currency = int(form["amount"]), form["currency"]
    reference = form.get("metadata[order_id]", "")
    intent = {
        "id": f"pi_{uuid.uuid4().hex[:24]}",
        "object": "payment_intent",
        "amount": amount,
        "currency": currency,
        "metadata": {"order_id": reference} if reference else {},
        "status": "requires_payment_method" if decline_code else "succeeded",
    }
    if decline_code:
        declined = {"type": "card_error", "code": "card_declined", "decline_code": decline_code}
        return _Done(answer=error(402, **declined, message="the card was declined", payment_intent=intent))
    effect = Effect(
        id=str(intent["id"]),
        kind="charge",
        amount=amount,
        currency=currency,
        charge=str(intent["id"]),
        reference=reference,
    )
    return _Done(answer=Answer(status=200, body=json.dumps(intent)), effect=effect)


def _check(call: Call) -> Card:
    """Check the caller and the parameters, and find the card."""
    if not call.authorized:
        raise Refused(401, "", "there is no API key: send it as a bearer token")
    if len(call.key) > 255:
        raise Refused(400, "", "an idempotency key has at most 255 characters")
    for name in ("payment_intent",) if call.path == REFUNDS else ("amount", "currency", "confirm"):
        if not call.form.get(name):
            raise Refused(400, "parameter_missing", f"{name} is missing", name)
    if call.path == REFUNDS:
        return Card()
    amount = call.form["amount"]
    if not (amount.isascii() and amount.isdigit() and len(amount) <= 12):
        raise Refused(400, "parameter_invalid_integer", f"not a whole number: {amount}", "amount")
    if not SMALLEST <= int(amount) <= LARGEST:
        code = "amount_too_small" if int(amount) < SMALLEST else "amount_too_large"
        raise Refused(400, code, f"an amount lies between {SMALLEST} and {LARGEST}", "amount")
    token = call.form.get("payment_method") or call.form.get("payment_method_data[card][token]", "")
    if token not in CARDS:
        raise Refused(400, "resource_missing", f"no such card: {token}", "payment_method")
    return CARDS[token]


def _fingerprint(form: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(form.items())).encode()).hexdigest()
