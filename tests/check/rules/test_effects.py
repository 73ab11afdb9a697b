"""The rules of effects where their pages end: what commits with a handler, what does not, and what may be repeated."""

from pathlib import Path

import pytest

from shoal.check.finding import Reported
from tests.check.projects import report_of

STUBS = {
    "httpx.py": "class AsyncClient: ...\n\n\ndef post(url): ...\n",
    "confluent_kafka.py": "class Producer:\n    def __init__(self, settings): ...\n",
}
"""Stands for packages that need not be there."""

SYSTEM = """\
import urllib.request
from typing import Protocol

import confluent_kafka
import httpx
import msgspec
import smtplib
from httpx import AsyncClient

from shoal import (
    Postgres, Saga, Service, System, Tick, Transaction, contract, event, get, internal, patch, post, put, record,
    retriable
)


@event("till.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


@record("sales", key="id")
class Sale(msgspec.Struct, frozen=True):
    id: str


@contract("bank")
class BankApi(Protocol):
    @post("/pay", access=internal)
    async def pay(self, id: str) -> None: ...

    @patch("/limit", access=internal)
    async def limit(self, id: str) -> None: ...

    @post("/refund", access=internal, idempotent=True)
    async def refund(self, id: str) -> None: ...

    @put("/name", access=internal)
    async def name(self, id: str) -> None: ...

    @post("/question", access=internal)
    async def question(self, id: str) -> None: ...


@contract("post")
class PostApi(Protocol):
    @post("/parcel", access=internal)
    async def send(self, id: str) -> None: ...

    @get("/parcel", access=internal)
    async def show(self, id: str) -> None: ...


till = Service("till", store=Postgres(migrations=""), publishes=[Sold])
bank, mail = Service("bank", store=Postgres(migrations="")), Service("post")
producer = confluent_kafka.Producer({})


class Port:
    def __init__(self, http: AsyncClient) -> None:
        self._http = http

    async def tell(self, id: str) -> None:
        await self._http.post("/sold", json=id)


@till.provide
def port() -> Port:
    return Port(AsyncClient())


for api, service in ((BankApi, bank), (PostApi, mail)):
    for method in ("pay", "limit", "refund", "name", "send", "show"):
        if hasattr(api, method):
            async def answer(id: str) -> None: ...
            service.implements(getattr(api, method))(answer)


@bank.implements(BankApi.question)
async def question(id: str, tx: Transaction) -> None:
    await tx.get(Sale, id)


HANDLER


system = System("shop", services=[till, bank, mail])
"""
ARGUMENTS = "sale: Sale, tx: Transaction, port: Port, bank: BankApi, mail: PostApi"
ENDPOINT = f'@till.post("/sales", access=internal)\nasync def work({ARGUMENTS}) -> None:'
HEARING = f"@till.on(Sold)\nasync def work({ARGUMENTS.replace('Sale', 'Sold', 1)}) -> None:"
TIMED = f"@till.every(minutes=5)\nasync def work({ARGUMENTS.replace('Sale', 'Tick', 1)}) -> None:"
STEP = (
    f"@till.saga('selling')\nclass Selling(Saga[Sale]):\n  @retriable()\n  async def work(self, {ARGUMENTS}) -> None:"
)
LINE = SYSTEM[: SYSTEM.index("HANDLER")].count("\n") + 1


def asked(root: Path, code: str, head: str, *body: str) -> list[Reported]:
    """List what a rule finds in a handler that begins so and does this."""
    lines = "\n".join([head, *(f"    {line}" for line in body)])
    report = report_of(root, STUBS | {"system.py": SYSTEM.replace("HANDLER", lines)}, code, "SH001", "SH002")
    return list(report.findings)


INSERT = "tx.insert(Sale(sale.id))"
OUTSIDE = {
    "httpx.post('/sold')": "httpx.post",
    "await AsyncClient().get('/sold'); http = AsyncClient(); await http.put('/sold')": "httpx.AsyncClient.put",
    "async with httpx.AsyncClient() as http: await http.patch('/sold')": "httpx.AsyncClient.patch",
    "urllib.request.urlopen('http://127.0.0.1:9/sold', data=b'1', timeout=1)": "urllib.request.urlopen",
    "with smtplib.SMTP('127.0.0.1', timeout=1) as server: server.sendmail('a', 'b', 'c')": "smtplib.SMTP.sendmail",
}
HARMLESS = (
    "async with AsyncClient() as http: await http.get('/sold')",
    "async with AsyncClient() as http: await http.post('/sold', headers={'Idempotency-Key': sale.id})",
    "urllib.request.urlopen('http://127.0.0.1:9/sold', timeout=1)",
    "with smtplib.SMTP('127.0.0.1', timeout=1) as one: one.sendmail('a', 'b', f'Message-ID: <{sale.id}>')",
    "tx.publish(Sold(sale.id))",
)


@pytest.mark.parametrize("effect", OUTSIDE)
def test_an_endpoint_that_writes_here_and_outside_is_found(effect: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH203", ENDPOINT, INSERT, effect)
    assert finding.message == f"till.work writes to its store and, past it, to another system: {OUTSIDE[effect]}"
    assert (finding.where.line, [note.where.line for note in finding.notes]) == (LINE + 3, [LINE + 2])


@pytest.mark.parametrize("effect", HARMLESS)
def test_what_may_be_repeated_or_reads_is_not_found(effect: str, tmp_path: Path) -> None:
    for code, head in (("SH203", ENDPOINT), ("SH206", HEARING)):
        assert [finding.message for finding in asked(tmp_path, code, head, INSERT, effect)] == []


def test_what_writes_in_one_place_only_is_not_found(tmp_path: Path) -> None:
    assert asked(tmp_path, "SH203", ENDPOINT, "await tx.get(Sale, sale.id)", "httpx.post('/sold')") == []


@pytest.mark.parametrize("head", [ENDPOINT, HEARING, TIMED])
def test_a_message_past_the_outbox_is_found_wherever_it_is_sent(head: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH203", head, "producer.produce('sold', b'1')")
    assert finding.message == "till.work sends a message past its outbox: confluent_kafka.Producer.produce"
    assert asked(tmp_path, "SH206", head, "producer.produce('sold', b'1')") == []


@pytest.mark.parametrize(("head", "when"), [(HEARING, "its event is"), (TIMED, "its run is"), (STEP, "the step is")])
def test_what_is_repeated_with_its_handler_is_found(head: str, when: str, tmp_path: Path) -> None:
    for call in ("bank.pay('1')", "bank.limit('1')"):
        (finding,) = asked(tmp_path, "SH206", head, f"await {call}")
        assert call.partition("(")[0] in finding.message
        assert when in finding.message
    (finding,) = asked(tmp_path, "SH206", head, "httpx.post('/sold')")
    assert ("self.idempotency_key" in finding.help) == (head == STEP)


@pytest.mark.parametrize("effect", OUTSIDE)
def test_what_has_no_key_is_found(effect: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH206", HEARING, effect)
    assert OUTSIDE[effect] in finding.message


@pytest.mark.parametrize("call", ["bank.refund('1')", "bank.name('1')", "bank.question('1')", "mail.show('1')"])
def test_what_changes_nothing_twice_is_not_found(call: str, tmp_path: Path) -> None:
    assert [finding.message for finding in asked(tmp_path, "SH206", HEARING, f"await {call}")] == []
    assert asked(tmp_path, "SH206", ENDPOINT, "await bank.pay('1')") == []


@pytest.mark.parametrize("head", [ENDPOINT, HEARING, TIMED])
def test_changes_of_two_services_are_found(head: str, tmp_path: Path) -> None:
    (finding,) = asked(
        tmp_path, "SH204", head, "await bank.refund('1')", "await bank.name('1')", "await mail.send('1')"
    )
    assert finding.message == "till.work changes 2 services, and nothing undoes bank.refund when post.send fails"
    assert (finding.where.line, [note.where.line for note in finding.notes]) == (LINE + 4, [LINE + 2])


@pytest.mark.parametrize("calls", ["bank.refund name", "bank.question mail.send", "bank.pay mail.show"])
def test_changes_of_one_service_and_questions_are_not_found(calls: str, tmp_path: Path) -> None:
    body = [f"await {call if '.' in call else f'bank.{call}'}('1')" for call in calls.split()]
    assert [finding.message for finding in asked(tmp_path, "SH204", ENDPOINT, *body)] == []


def test_steps_may_change_what_they_like(tmp_path: Path) -> None:
    assert asked(tmp_path, "SH204", STEP, "await bank.refund('1')", "await mail.send('1')") == []


PORT = """\
from collections.abc import AsyncIterator
from typing import Protocol

import aiohttp
import msgspec

from shoal import Postgres, Service, System, Transaction, event


@event("till.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


class Bank(Protocol):
    async def pay(self, id: str) -> None: ...


class Online:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def pay(self, id: str) -> None:
        await self._post(id)

    async def refund(self, id: str) -> None:
        await self._http.delete(self._url)

    async def _post(self, id: str) -> None:
        await self._http.post(self._url, data={"id": id})


till = Service("till", store=Postgres(migrations=""), publishes=[Sold])


@till.provide
async def bank() -> AsyncIterator[Bank]:
    async with aiohttp.ClientSession() as http:
        yield Online(http, "http://127.0.0.1:9")


@till.on(Sold, leads_to=[])
async def pay(event: Sold, port: Bank) -> None:
    await port.pay(event.id)


system = System("shop", services=[till])
"""


def test_what_happens_behind_a_port_is_seen(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"system.py": PORT}, "SH206", "SH002")
    line = next(n for n, text in enumerate(PORT.splitlines(), 1) if "_http.post" in text)
    assert [(f.code, f.where.line) for f in report.findings] == [("SH206", line)], "what nobody calls is no effect"
    keyed = PORT.replace('data={"id": id})', 'headers={"Idempotency-Key": id})')
    assert report_of(tmp_path / "keyed", {"system.py": keyed}, "SH206", "SH002").findings == ()
