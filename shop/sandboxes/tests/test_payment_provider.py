"""The semantics that the shop relies on, without a socket; over a socket they are tested with the adapter."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shop.sandboxes.payment_provider.api import INTENTS, REFUNDS, Call, Provider, Response
from shop.sandboxes.payment_provider.behaviour import Behaviour
from shop.sandboxes.payment_provider.ledger import Ledger

CHARGE = {
    "amount": "6980",
    "currency": "eur",
    "confirm": "true",
    "payment_method_data[type]": "card",
    "payment_method_data[card][token]": "tok_visa",
    "metadata[order_id]": "ord_1",
}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    yield Provider(ledger)
    ledger.close()


def charge(provider: Provider, key: str = "k", card: str = "tok_visa", **form: str) -> Response:
    asked = CHARGE | {"payment_method_data[card][token]": card} | form
    return provider.handle(Call(path=INTENTS, key=key, form=asked, authorized=True))


def refund(provider: Provider, charge_id: str, key: str = "r") -> Response:
    return provider.handle(Call(path=REFUNDS, key=key, form={"payment_intent": charge_id}, authorized=True))


def said(response: Response) -> dict[str, Any]:
    document = json.loads(response.answer.body)
    assert isinstance(document, dict)
    return document


def counted(provider: Provider, key: str) -> tuple[int, int]:
    entry = provider.ledger.snapshot()["keys"][key]
    return entry["requests"], entry["effects"]


def test_a_repetition_gets_the_same_answer_and_has_no_effect(provider: Provider) -> None:
    first, again = charge(provider), charge(provider)
    assert first.answer == again.answer
    assert (first.replayed, again.replayed) == (False, True)
    assert said(first)["status"] == "succeeded"
    assert counted(provider, "k") == (2, 1)


def test_a_key_serves_one_request_only(provider: Provider) -> None:
    charge(provider)
    other = charge(provider, amount="1")
    assert other.answer.status == 400, "below the smallest amount"
    other = charge(provider, amount="7000")
    assert (other.answer.status, said(other)["error"]["type"]) == (400, "idempotency_error")
    elsewhere = refund(provider, "pi_1", key="k")
    assert said(elsewhere)["error"]["type"] == "idempotency_error"
    assert counted(provider, "k") == (3, 1)


def test_a_decline_is_kept_under_its_key(provider: Provider) -> None:
    first, again = charge(provider, card="tok_insufficient_funds"), charge(provider, card="tok_insufficient_funds")
    assert first.answer == again.answer
    assert first.answer.status == 402
    assert said(first)["error"]["decline_code"] == "insufficient_funds"
    assert counted(provider, "k") == (2, 0)


def test_a_charge_goes_back_once(provider: Provider) -> None:
    charge_id = said(charge(provider))["id"]
    given = refund(provider, charge_id)
    assert said(given)["amount"] == 6980
    assert refund(provider, charge_id).answer == given.answer
    other_key = refund(provider, charge_id, key="another")
    assert said(other_key)["error"]["code"] == "charge_already_refunded"
    assert refund(provider, "pi_nobody", key="third").answer.status == 404
    totals = provider.ledger.snapshot()["totals"]
    assert totals["charges"] == totals["refunds"] == {"count": 1, "amount": 6980}


def test_everything_is_remembered_across_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    ledger = Ledger(file)
    first = charge(Provider(ledger))
    ledger.close()
    ledger = Ledger(file)
    again = charge(Provider(ledger))
    assert (again.answer, again.replayed) == (first.answer, True)
    assert ledger.snapshot()["totals"]["charges"]["count"] == 1
    ledger.close()


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"amount": ""}, "parameter_missing"),
        ({"amount": "12.50"}, "parameter_invalid_integer"),
        ({"amount": "-50"}, "parameter_invalid_integer"),
        ({"amount": "100000000"}, "amount_too_large"),
        ({"payment_method_data[card][token]": "tok_nobody"}, "resource_missing"),
    ],
)
def test_what_is_refused_is_not_kept_under_its_key(provider: Provider, form: dict[str, str], code: str) -> None:
    refused = charge(provider, **form)
    assert (refused.answer.status, said(refused)["error"]["code"]) == (400, code)
    assert charge(provider).answer.status == 200


def test_nobody_charges_without_a_key_of_the_api(provider: Provider) -> None:
    call = Call(path=INTENTS, key="k", form=CHARGE, authorized=False)
    assert provider.handle(call).answer.status == 401
    assert provider.ledger.snapshot()["keys"] == {}


def test_a_failure_leaves_the_key_unused(provider: Provider) -> None:
    answers = [charge(provider, card="tok_flaky_then_ok").answer.status for _ in range(4)]
    assert answers == [503, 503, 200, 200]
    assert counted(provider, "k") == (4, 1)


def test_a_lost_answer_is_there_at_the_repetition(provider: Provider) -> None:
    first, again = charge(provider, card="tok_lost_answer"), charge(provider, card="tok_lost_answer")
    assert (first.lost, again.lost) == (True, False)
    assert first.answer == again.answer
    assert counted(provider, "k") == (2, 1)


def test_the_switches_work_for_every_card(provider: Provider) -> None:
    provider.behaviour = Behaviour(fail_rate=1.0)
    assert charge(provider, "failing").answer.status == 503
    provider.behaviour = Behaviour(decline_rate=1.0)
    assert charge(provider, "declined").answer.status == 402
    provider.behaviour = Behaviour(fail_after_commit=True)
    lost = charge(provider, "lost")
    assert lost.lost
    assert refund(provider, said(lost)["id"]).lost
    provider.behaviour = Behaviour()
    assert charge(provider, "lost").replayed


def test_many_at_once_under_one_key_have_one_effect(provider: Provider) -> None:
    provider.behaviour = Behaviour(delay_ms=5)
    start = threading.Barrier(8)

    def hurry(_: int) -> int:
        start.wait()
        return charge(provider).answer.status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(hurry, range(8)))
    assert statuses.count(200) >= 1
    assert set(statuses) <= {200, 409}
    assert counted(provider, "k") == (8, 1)
