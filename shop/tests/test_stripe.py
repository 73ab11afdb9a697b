"""The adapter, and the sandbox that it is tested with, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from shoal import Secret
from shop.payments.provider import (
    Charge,
    ChargeRequest,
    Decline,
    OutcomeUnknown,
    ProviderRefused,
    RefundRequest,
)
from shop.payments.stripe import StripeProvider, open_http
from shop.tests.outside import Sandbox, running_sandbox

KEY = Secret("sk_test_sandbox")
ORDER = ChargeRequest(key="ord_1-charge", order_id="ord_1", amount=6980, currency="EUR", method="tok_visa")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("provider")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.behave()
    return process


@pytest.fixture
async def stripe(sandbox: Sandbox) -> AsyncIterator[StripeProvider]:
    async with open_http(KEY) as http:
        yield StripeProvider(http, sandbox.url)


def order(order_id: str, method: str = "tok_visa") -> ChargeRequest:
    return msgspec.structs.replace(ORDER, key=f"{order_id}-charge", order_id=order_id, method=method)


async def answered(stripe: StripeProvider, request: ChargeRequest) -> Charge | Decline:
    """Ask again under the same key until there is an answer, as the runtime does."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await stripe.charge(request)
            except OutcomeUnknown:
                await asyncio.sleep(0.01)


async def test_a_charge_and_its_refund(sandbox: Sandbox, stripe: StripeProvider) -> None:
    charge = await stripe.charge(ORDER)
    assert isinstance(charge, Charge)
    assert await stripe.charge(ORDER) == charge
    request = RefundRequest(key="ord_1-refund", charge_id=charge.charge_id)
    assert await stripe.refund(request) == await stripe.refund(request)
    keys = sandbox.ledger()["keys"]
    assert keys["ord_1-charge"] == {
        "path": "/v1/payment_intents",
        "requests": 2,
        "status": 200,
        "effects": 1,
        "amount": 6980,
        "currency": "eur",
        "reference": "ord_1",
    }
    assert (keys["ord_1-refund"]["requests"], keys["ord_1-refund"]["effects"]) == (2, 1)


async def test_a_payment_method_is_charged_as_a_token_is(stripe: StripeProvider) -> None:
    assert isinstance(await stripe.charge(order("ord_pm", "pm_card_visa")), Charge)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("tok_declined", "generic_decline"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_nobody_knows", "resource_missing"),
    ],
)
async def test_a_card_that_says_no_is_an_answer(stripe: StripeProvider, card: str, reason: str) -> None:
    request = order(f"ord_{card}", card)
    assert await stripe.charge(request) == await stripe.charge(request) == Decline(reason=reason)


async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(sandbox: Sandbox, stripe: StripeProvider) -> None:
    sandbox.behave(fail_after_commit=True)
    request = order("ord_lost")
    with pytest.raises(OutcomeUnknown, match="ord_lost-charge"):
        await stripe.charge(request)
    charge = await stripe.charge(request)
    assert isinstance(charge, Charge)
    refund = RefundRequest(key="ord_lost-refund", charge_id=charge.charge_id)
    with pytest.raises(OutcomeUnknown):
        await stripe.refund(refund)
    await stripe.refund(refund)
    keys = sandbox.ledger()["keys"]
    assert [keys[key]["effects"] for key in ("ord_lost-charge", "ord_lost-refund")] == [1, 1]


async def test_an_answer_that_comes_too_late_leaves_the_outcome_unknown(sandbox: Sandbox) -> None:
    sandbox.behave(delay_ms=500)
    async with open_http(KEY, timeout=0.1) as http:
        hasty = StripeProvider(http, sandbox.url)
        with pytest.raises(OutcomeUnknown):
            await hasty.charge(order("ord_late"))
    async with open_http(KEY) as http:
        assert isinstance(await answered(StripeProvider(http, sandbox.url), order("ord_late")), Charge)
    entry = sandbox.ledger()["keys"]["ord_late-charge"]
    assert entry["requests"] >= 2
    assert entry["effects"] == 1


async def test_a_provider_that_is_not_well_is_asked_again(sandbox: Sandbox, stripe: StripeProvider) -> None:
    with pytest.raises(OutcomeUnknown, match="503"):
        await stripe.charge(order("ord_flaky", "tok_flaky_then_ok"))
    assert isinstance(await answered(stripe, order("ord_flaky", "tok_flaky_then_ok")), Charge)
    sandbox.behave(fail_rate=0.5)
    for number in range(20):
        await answered(stripe, order(f"ord_half_{number}"))
    keys = sandbox.ledger()["keys"]
    tried = [keys[f"ord_half_{number}-charge"] for number in range(20)]
    assert all(entry["effects"] == 1 for entry in tried)
    assert sum(entry["requests"] for entry in tried) > 20


async def test_a_provider_that_is_away_leaves_the_outcome_unknown() -> None:
    async with open_http(KEY) as http:
        with pytest.raises(OutcomeUnknown):
            await StripeProvider(http, "http://127.0.0.1:9").charge(order("ord_away"))


async def test_a_wrong_api_key_is_for_an_operator(sandbox: Sandbox) -> None:
    async with open_http(Secret("wrong")) as http:
        with pytest.raises(ProviderRefused, match="401") as refusal:
            await StripeProvider(http, sandbox.url).charge(order("ord_key"))
    assert "wrong" not in str(refusal.value)


async def test_a_key_that_was_used_for_something_else_is_for_an_operator(stripe: StripeProvider) -> None:
    await stripe.charge(order("ord_same"))
    with pytest.raises(ProviderRefused, match="400"):
        await stripe.charge(msgspec.structs.replace(order("ord_same"), amount=1000))


async def test_a_refund_of_nothing_is_for_an_operator(stripe: StripeProvider) -> None:
    with pytest.raises(ProviderRefused, match="404"):
        await stripe.refund(RefundRequest(key="ord_none-refund", charge_id="pi_none"))


def test_the_sandbox_says_what_it_does_not_understand(sandbox: Sandbox) -> None:
    assert sandbox.request("GET", "/health") == (200, {"status": "ok"})
    assert sandbox.request("GET", "/v1/customers")[0] == 404
    assert sandbox.request("POST", "/v1/customers", {})[0] == 404
    status, said = sandbox.request("POST", "/_sandbox/behaviour", {"decline_rat": 1})
    assert status == 400
    assert "decline_rate" in said["error"]["message"]
    sandbox.behave(decline_rate=0.5)
    assert sandbox.request("GET", "/_sandbox/behaviour")[1]["decline_rate"] == 0.5


def test_a_restarted_sandbox_remembers(tmp_path: Path) -> None:
    async def charge(url: str) -> Charge | Decline:
        async with open_http(KEY) as http:
            return await StripeProvider(http, url).charge(order("ord_kept"))

    with running_sandbox(tmp_path) as first:
        before = asyncio.run(charge(first.url))
    with running_sandbox(tmp_path) as second:
        assert asyncio.run(charge(second.url)) == before
        assert second.ledger()["totals"]["charges"] == {"count": 1, "amount": 6980}


async def test_charges_are_listed_in_order_over_pages(stripe: StripeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.payments.stripe.PAGE", 2)
    before = await stripe.charges()
    made = [await stripe.charge(order(f"ord_list_{number}")) for number in range(5)]
    await stripe.charge(order("ord_list_declined", "tok_declined"))
    ids = [charge.charge_id for charge in made if isinstance(charge, Charge)]
    everything = await stripe.charges()
    assert [listed.charge_id for listed in everything[len(before) :]] == ids
    assert everything[: len(before)] == before
    assert [listed.charge_id for listed in await stripe.charges(after=ids[0])] == ids[1:]
    assert await stripe.charges(after=ids[-1]) == ()
    assert {(listed.amount, listed.currency.upper()) for listed in everything[-5:]} == {(6980, "EUR")}
    assert everything[-1].order_id == "ord_list_4"


async def test_a_list_is_refused_to_a_stranger(sandbox: Sandbox) -> None:
    async with open_http(Secret("pk_public")) as http:
        with pytest.raises(ProviderRefused, match="could not list the charges"):
            await StripeProvider(http, sandbox.url).charges()
