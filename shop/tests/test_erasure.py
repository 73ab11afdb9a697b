"""A customer who wishes to be forgotten is forgotten everywhere, and the shop's books stay right."""

from typing import Any

from shoal.testing import MemorySystem
from shop.tests.fakes import FakeMailer, FakeProvider
from shop.tests.people import Customer, sign_up
from shop.tests.test_audit import outside
from shop.tests.test_orders import MUG

ADDRESS = "G. Hopper, 1 Navy Yard, Washington"
WORDS = (b"grace.hopper", b"grace", b"navy yard")


def everything(system: MemorySystem) -> list[tuple[str, bytes]]:
    """Everything that stores and streams hold."""
    found = []
    for name, host in system._hosts.items():
        if host.store is not None:
            kept: Any = getattr(host.store, "inner", host.store)
            state = kept._state
            found.append((name, repr((state.tables, state.outbox, state.receipts, state.inbox)).lower().encode()))
    logs = system._broker._logs.items()
    return found + [(name, repr(log.read(0, 10_000)).lower().encode()) for name, log in logs]


def leaks(system: MemorySystem) -> list[str]:
    return [name for name, text in everything(system) for word in WORDS if word in text]


async def test_a_customer_is_forgotten_and_the_books_stay_right(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    grace = await sign_up(system, "grace.hopper@example.com")
    sent = [await customer.order((MUG, 1), deliver_to=ADDRESS) for customer in (grace, ada)]
    assert [answer.json()["deliver_to"] for answer in sent] == [ADDRESS, ADDRESS]
    paths = [f"/orders/{answer.json()['order_id']}" for answer in sent]
    await system.settle()
    assert leaks(system) == []
    answer = await system.delete("/users/me", token=grace.token)
    assert answer.status == 204
    again = await system.delete("/users/me", token=grace.token)
    assert again.status == 204
    await system.settle()

    assert leaks(system) == []
    assert (await system.get("/users/me", token=grace.token)).status == 404
    kept, other = await grace.get(paths[0]), await ada.get(paths[1])
    assert (kept["status"], kept["total"], kept.get("deliver_to")) == (other["status"], other["total"], None)
    assert other["deliver_to"] == ADDRESS
    credentials = {"email": "grace.hopper@example.com", "password": "a password of some length"}
    assert (await system.post("/sessions", json=credentials)).status == 401
    assert (await ada.get("/users/me"))["email"] == "ada@example.com"
    holders = {name for name, host in system._hosts.items() if hasattr(host.store, "vault")}
    assert holders == {"users", "orders", "notifications", "analytics"}
    for name in holders:
        state: Any = getattr(system._hosts[name].store, "inner", None)
        tables = state._state.tables
        assert grace.user_id not in {row["subject"] for row in tables["shoal.data_keys"].values()}
        assert grace.user_id in tables["shoal.erased_subjects"]
    report = await system.audit(externals=outside(provider, mailer))
    assert report.held, report.complaints()
    back = await sign_up(system, "grace.hopper@example.com")
    assert back.user_id != grace.user_id
    await system.settle()
