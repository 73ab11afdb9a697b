"""Stripe's HTTP API (PaymentIntents and Refunds, version 1): the only file that imports aiohttp.

The sandbox speaks the same subset of it, so this adapter is what runs on a laptop too. Sources: Stripe API Reference,
"Create a PaymentIntent", "List all PaymentIntents", "Create a refund", "Pagination", "Errors", "Idempotent requests".
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from shoal import Secret
from shop.payments.provider import (
    Charge,
    ChargeRequest,
    Decline,
    Listed,
    OutcomeUnknown,
    ProviderRefused,
    Refund,
    RefundRequest,
)

TIMEOUT = 8.0
"""Seconds for a request: well within an attempt of a handler, which so ends with a reason and is not cancelled."""

PAGE = 100
"""Charges of one page of the list, the most that Stripe gives."""

_TRY_AGAIN = frozenset({409, 424, 429})
"""The same key is in use right now; a dependency failed; too many requests. Nothing was recorded under the key."""

_OURS_TO_SOLVE = frozenset({401, 403})


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""
    code: str = ""
    decline_code: str = ""
    message: str = ""


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    """What of an answer matters here."""

    id: str = ""
    status: str = ""
    error: _Failure = _Failure()


class _Intent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    amount: int
    currency: str
    status: str = ""
    metadata: dict[str, str] = {}


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, the newest first."""

    data: tuple[_Intent, ...] = ()
    has_more: bool = False
    error: _Failure = _Failure()


class StripeProvider:
    """Implements `PaymentProvider`; one instance serves many tasks."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http, self._base_url = http, base_url.rstrip("/")

    async def charge(self, request: ChargeRequest) -> Charge | Decline:
        """Take money with a PaymentIntent that is confirmed at once."""
        form = {
            "amount": str(request.amount),
            "currency": request.currency.lower(),
            "confirm": "true",
            "error_on_requires_action": "true",  # nobody is there to answer the bank's questions
            "payment_method_types[]": "card",
            "metadata[order_id]": request.order_id,
            **_method(request.method),
        }
        status, found = await self._post("/v1/payment_intents", request.key, form)
        if status == 200 and found.status == "succeeded":
            return Charge(charge_id=found.id)
        if found.error.type == "card_error" or _is_senseless(status, found):
            return Decline(reason=found.error.decline_code or found.error.code or "card_declined")
        raise _failure(f"charge {request.amount} {request.currency} for {request.order_id}", status, found)

    async def refund(self, request: RefundRequest) -> Refund:
        """Give back all of a charge."""
        form = {"payment_intent": request.charge_id}
        status, found = await self._post("/v1/refunds", request.key, form)
        if status == 200 and found.status in ("succeeded", "pending"):  # a bank may take days to book it
            return Refund(refund_id=found.id)
        raise _failure(f"refund {request.charge_id}", status, found)

    async def charges(self, after: str = "") -> tuple[Listed, ...]:
        """List the PaymentIntents that succeeded, page by page: back to the first, or on from `after`."""
        found: list[_Intent] = []
        mark = {"ending_before": after} if after else {}
        while True:
            page = await self._page("/v1/payment_intents", {"limit": str(PAGE), **mark})
            found = [*reversed(page.data), *found] if not after else [*found, *reversed(page.data)]
            if not page.has_more or not page.data:
                return tuple(_listed(intent) for intent in found if intent.status == "succeeded")
            mark = {"ending_before": page.data[0].id} if after else {"starting_after": page.data[-1].id}

    async def _page(self, path: str, query: Mapping[str, str]) -> _Page:
        try:
            async with self._http.get(f"{self._base_url}{path}", params=query) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutcomeUnknown(f"GET {path} got no answer: {str(error) or type(error).__name__}") from error
        try:
            page = msgspec.json.decode(body, type=_Page)
        except msgspec.MsgspecError as error:
            raise OutcomeUnknown(f"GET {path} was answered {status} with no list: {error}") from error
        if status != 200:
            raise _failure("list the charges", status, _Document(error=page.error))
        return page

    async def _post(self, path: str, key: str, form: Mapping[str, str]) -> tuple[int, _Document]:
        url = f"{self._base_url}{path}"
        try:
            async with self._http.post(url, data=form, headers={"Idempotency-Key": key}) as response:
                return response.status, _read(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise OutcomeUnknown(f"POST {url} under key {key} got no answer: {said}") from error


def open_http(key: Secret, *, timeout: float = TIMEOUT) -> aiohttp.ClientSession:
    """Open the connections to Stripe; the caller closes them."""
    limits = aiohttp.ClientTimeout(total=timeout, sock_connect=timeout / 4)
    headers = {"Authorization": f"Bearer {key.reveal()}", "Accept": "application/json"}
    return aiohttp.ClientSession(headers=headers, timeout=limits, raise_for_status=False)


def _listed(intent: _Intent) -> Listed:
    return Listed(
        charge_id=intent.id,
        order_id=intent.metadata.get("order_id", ""),
        amount=intent.amount,
        currency=intent.currency,
    )


def _method(token: str) -> dict[str, Any]:
    """Name the card: ``pm_`` is a PaymentMethod, ``tok_`` a token to make one from."""
    if token.startswith("pm_"):
        return {"payment_method": token}
    return {"payment_method_data[type]": "card", "payment_method_data[card][token]": token}


def _is_senseless(status: int, found: _Document) -> bool:
    """Tell whether Stripe will never charge this, such as a token that it does not know."""
    is_final = 400 <= status < 500 and status not in _TRY_AGAIN | _OURS_TO_SOLVE
    return is_final and found.error.type == "invalid_request_error"


def _read(body: bytes) -> _Document:
    try:
        return msgspec.json.decode(body, type=_Document)
    except msgspec.MsgspecError:  # a proxy's page, for example; the status decides
        return _Document()


def _failure(attempt: str, status: int, found: _Document) -> OutcomeUnknown | ProviderRefused:
    said = found.error.message or found.error.code or found.status or "nothing that can be read"
    text = f"could not {attempt}: the provider answered {status} and said: {said}"
    if status in _OURS_TO_SOLVE:
        return ProviderRefused(text, hint="check PAYMENTS__PROVIDER_KEY")
    if 400 <= status < 500 and status not in _TRY_AGAIN:
        return ProviderRefused(text, hint="compare the payment with the provider's records by its idempotency key")
    return OutcomeUnknown(text, hint="it is asked again under the same key")
